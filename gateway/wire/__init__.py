"""The server's side of the wire.

`protocol` limits request heads and hands over what ASGI can't say, `cork` joins head and body of answers, `serve`
runs it all.
"""
