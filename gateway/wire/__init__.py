"""The server's side of the wire.

`protocol` limits request heads and hands over what ASGI can't say, `parser` reads on where a client would rather not
speak HTTP, `old_client` frames answers for HTTP/1.0, `cork` joins head and body of answers, `serve` runs it all.
"""
