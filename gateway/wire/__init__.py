"""The server's side of the wire: `protocol` limits request heads and hands over what ASGI can't say; `serve` runs it."""
