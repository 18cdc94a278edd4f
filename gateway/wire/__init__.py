"""The server's side of the wire.

`protocol` is one client connection: it limits request heads, lets pass what can go the short way, and hands the rest to
the application with what ASGI can't say (`connection_wire`). `short_way` is what uvicorn sees of a request that passes,
`deadline` keeps clients from waiting for ever, `handshake` knows a WebSocket and `tunnel` joins it to the application's
(`frames` tells where it may be ended), `parser` reads on where a client would rather not speak HTTP, `old_client`
frames answers for HTTP/1.0, `cork` joins head and body of answers, `refusal` has the server's own. `serve` runs it.
"""
