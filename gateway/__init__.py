"""Paywall Gateway: a reverse proxy that withholds results, not the service, from whoever has not paid.

The house has floors; imports only go down:

6. `asgi`: the gateway for an ASGI server of your own; what it says and how it ends, it has from `cli`.
5. `cli`: commands; the only code that prints and exits.
4. `wiring`: builds the objects out of the settings and joins them; no logic.
3. `web`: the HTTP faces (gate, offer, pay, release, me, health); `wire`: the server's protocol class.
2. Business rooms: `access` (who may have which result), `payments` (offers, checkouts, settlements).
   Technical rooms: `store` (Redis), `upstream` (sockets to the application), `settings` (the config file),
   `extend` (plugins), `eventlog` (events and the access log).
1. `ports`: what rooms and plugins may expect of each other; the public door for plugins.
0. `core`: words and shared rules; standard library only; no await, no clock, no I/O.

Rooms on one floor do not know each other. A request's way is told in `gateway.web.gate`.
"""

__version__ = "0.1.0"
