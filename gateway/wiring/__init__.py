"""Builds the objects out of the settings and joins them; no rules of its own.

`application` is the gateway as one ASGI application with a life; `assemble` makes a snapshot of one config, `plugins`
its providers; `secret` finds or makes the gateway's secret.
"""
