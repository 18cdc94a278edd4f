"""The room `gateway.upstream`, against real sockets."""
