"""WebSockets through the gateway against the same servers without it."""
