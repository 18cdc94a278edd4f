"""Offers, checkouts and settlements.

`offer` says what is put before a subject, as a pure function; `checkout` opens a payment and credits what a provider
reports, which it knows again by the `reference`. Nothing here knows of requests or pages.
"""
