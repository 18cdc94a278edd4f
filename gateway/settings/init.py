"""The first config: what `paywall init` writes."""

from __future__ import annotations

import json

from gateway.settings.address import Origin

_TEMPLATE = """\
# Paywall Gateway: the config of one application. The first route that fits a request decides.
# Check it with `paywall check FILE`; every key is described in docs/settings.md.

# Where clients come in. 0.0.0.0:8080 opens it to other machines.
listen: 127.0.0.1:8080

# Where people reach the gateway: payment providers send them back there.
# public_url: https://app.example.com

# Pages, API and metrics for operators; never on the public address.
admin: {listen: "127.0.0.1:8081"}

# The application behind the gateway; at several addresses: urls: ["http://10.0.0.1:3000", "http://10.0.0.2:3000"].
upstream: {url: @UPSTREAM@, connect_timeout: 5s, read_timeout: 60s}

# Where counters, payments and held results live: embedded, or the URL of a Redis (which then needs a secret).
store: embedded
# secret: {env: PAYWALL_SECRET}

# Proxies in front of the gateway: only what they say about a client is believed.
trusted_proxies: []

# How a client is known; asked in order, the first that answers wins, and a proof wins over what is merely said.
identity:
  # The application's own tokens are better than a cookie:
  # - jwt: {from: [bearer, "cookie:session"], secret: {env: APP_JWT_SECRET}, algorithms: [HS256]}
  # A signed cookie, for whoever is not known otherwise.
  - visitor: {}

# How long everything is free, and from when: first-visit, first-result or "claim:NAME" of a token.
trial: {length: 14d, starts: first-visit}

# What happens to results then: hold (kept back until paid for), block or preview; and how many stay free.
results_after_trial: {mode: hold, grace: 2 per 30d}

# What can be bought: a number of results or a time.
plans:
  - {id: single, name: This result, price: 3.00 USD, gives: 1 result}
  - {id: pro, name: Pro, price: 19.00 USD, gives: 30d}

# How it is paid. The sandbox takes play money: remove it, and the line below it, before real clients come.
payments:
  - sandbox: {}
sandbox: allowed

# What the page beside a withheld result says about you.
offer:
  # The name that clients know the service by.
  name: This service
  # Whom they can ask: a mail address or a URL.
  # contact: help@example.com

# The rules. Classes: open (never touched), action (counted), result (withheld after the trial), exempt (not looked at).
routes:
  # Signing in and your own billing pages belong to nobody's trial.
  - {path: "/login/**", class: exempt}

  # Name what your clients come for, like this:
  # - {path: "/api/reports/{id}/export", methods: [GET, POST], class: result, name: export-report}

  # Until then: downloads and documents are results.
  - path: "/**"
    class: result
    name: documents
    answer:
      # Anything that the application sends as a download.
      attachment: true
      # And these kinds of answers, however they are sent.
      media_type: [application/pdf, text/csv, application/zip]

  # Everything else stays open for ever.
  - {path: "/**", class: open, name: everything-else}
"""


def commented_config(upstream: str) -> str:
    """The text of a config for this application: valid, working at once, each key explained in a line.

    Raises `ValueError` that says what is wrong with the address.
    """
    Origin.parse(upstream)
    return _TEMPLATE.replace("@UPSTREAM@", json.dumps(upstream))
