"""The room that speaks to the application behind the gateway; the only one with upstream sockets.

- `address`     where the application listens, `limits` how much of us and of it a call may cost
- `rota`        several addresses that take turns; `health` which of them are set aside meanwhile
- `connector`   one request out, one answer in (the port `Upstream`)
- `pool`        which connection serves a request: reuse, queue, time-outs; `shares` how many one client may have
- `connection`  one socket: bytes in and out, flow control
- `exchange`    one request and its answer as the caller sees it (the port `Answer`)
- `relay`       the same told to a receiver, without a task (the port `Relay`)
- `upload`      the request body, sent while the answer may already arrive
- `framing`     the bytes of a request head; `parsing` the strict reading of answers
- `opening`     one socket, TLS included
- `websocket`   WebSockets to the application (the port `WebSocketUpstream`): as bytes, after the handshake of
  `switching`, or as messages, over aiohttp (`websocket_session`, `websocket_peer`)
"""
