"""What a client may send, and what it should not: one table for all servers."""

from __future__ import annotations

import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
_KEY = b"\x01\x80\x7f\xff"


def frame(code: int, payload: bytes = b"", *, last: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """One frame of a client (RFC 6455 section 5.2)."""
    first = (0x80 if last else 0) | reserved << 4 | code
    mask = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, mask | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, mask | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask | 127, size)
    if not masked:
        return head + payload
    return head + _KEY + bytes(byte ^ _KEY[at % 4] for at, byte in enumerate(payload))


def compressed(payload: bytes) -> bytes:
    """As permessage-deflate has it (RFC 7692 section 7.2.1)."""
    deflate = zlib.compressobj(wbits=-15)
    return (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def closing(code: int, reason: bytes = b"") -> bytes:
    """A close with this code."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def apart(received: bytes) -> tuple[list[bytes], bytes]:
    """The frames of a server, which has no mask, and what is left over behind the last whole one."""
    frames: list[bytes] = []
    at = 0
    while at + 2 <= len(received):
        code = received[at + 1]
        payload = at + 2 + {126: 2, 127: 8}.get(code, 0)
        end = payload + (int.from_bytes(received[at + 2 : payload]) if code in (126, 127) else code)
        if end > len(received):
            break
        frames.append(received[at:end])
        at = end
    return frames, received[at:]


def content(whole: bytes) -> bytes:
    """The payload of a server's frame, its compression undone."""
    payload = whole[2 + {126: 2, 127: 8}.get(whole[1], 0) :]
    return zlib.decompressobj(wbits=-15).decompress(payload) if whole[0] & 0x40 else payload


_WORD = "κόσμε".encode()

ANSWERED: dict[str, bytes] = {
    "nothing at all": b"",
    "an empty text": frame(TEXT),
    "an empty binary": frame(BINARY),
    **{f"{size:,} bytes": frame(BINARY, bytes(range(256)) * (size // 256) + b"x" * (size % 256))
       for size in (1, 125, 126, 127, 128, 65535, 65536, 1_000_000)},
    "a text beyond ASCII": frame(TEXT, _WORD),
    "fragments": frame(TEXT, b"1 ", last=False) + frame(CONTINUATION, b"2 ", last=False) + frame(CONTINUATION, b"3"),
    "empty fragments": frame(TEXT, last=False) + frame(CONTINUATION, last=False) + frame(CONTINUATION),
    "fragments that cut a letter": frame(TEXT, _WORD[:1], last=False) + frame(CONTINUATION, _WORD[1:]),
    "a ping between fragments": frame(TEXT, b"a", last=False) + frame(PING, b"p") + frame(CONTINUATION, b"b"),
    "a ping with all it may have": frame(PING, bytes(125)),
    "pings in a row": b"".join(frame(PING, b"%d" % number) for number in range(10)),
    "a pong that nobody asked for": frame(PONG, b"unasked") + frame(TEXT, b"x"),
    "many small ones": b"".join(frame(TEXT, b"%d" % number) for number in range(300)),
}  # fmt: skip
"""After these the WebSocket goes on."""

ENDING: dict[str, bytes] = {
    "a close without a code": frame(CLOSE),
    "a close of one byte": frame(CLOSE, b"\x03"),
    "a close with a reason": closing(1000, "Grüße".encode()),
    "a close whose reason is no text": closing(1000, b"\xff"),
    **{f"a close with {code}": closing(code)
       for code in (1000, 1001, 1003, 1007, 1011, 1012, 3000, 4999, 999, 1004, 1005, 1006, 1015, 1016, 2000, 5000)},
    "a close, then more": closing(1000) + frame(TEXT, b"late"),
    "a close between fragments": frame(TEXT, b"a", last=False) + closing(1000),
    "a ping that is too long": frame(PING, bytes(126)),
    "a ping in fragments": frame(PING, b"a", last=False),
    "a close that is too long": frame(CLOSE, struct.pack("!H", 1000) + b"x" * 124),
    **{f"code {code}": frame(code, b"x") for code in (3, 7, 11, 15)},
    **{f"reserved bits {bits}": frame(TEXT, b"x", reserved=bits) for bits in (1, 2, 3, 5)},
    "no mask": frame(TEXT, b"x", masked=False),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "a text within a text": frame(TEXT, b"a", last=False) + frame(TEXT, b"b"),
    "a text that is none": frame(TEXT, b"ok \xff\xfe"),
    "a text that is none, in fragments": frame(TEXT, b"ok", last=False) + frame(CONTINUATION, b"\xed\xa0\x80"),
    "HTTP": b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "zeros": bytes(1000),
}  # fmt: skip
"""After these the server ends it."""

COMPRESSED: dict[str, bytes] = {
    "a compressed text": frame(TEXT, compressed(b"again and again and again " * 100), reserved=4),
    "a plain text": frame(TEXT, b"not worth it"),
    "compressed fragments": frame(TEXT, compressed(b"x" * 1000)[:5], reserved=4, last=False)
    + frame(CONTINUATION, compressed(b"x" * 1000)[5:]),
    "what is not compressed": frame(TEXT, b"\xff\xff\xff", reserved=4),
}
"""Where both have agreed on compression."""
