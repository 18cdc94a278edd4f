"""`paywall demo`: a real application with real data behind the gateway, to be looked at from every standing.

`flights` makes the data, `application` runs Datasette with it, `personas` lets one look as a trial, an expired, a
refusing and a paying user, `strip` shows who one is at the top of every page. None of it is ever part of `paywall run`.
"""
