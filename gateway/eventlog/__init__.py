"""The access log: one line a request, with what was decided and what the gateway itself cost."""
