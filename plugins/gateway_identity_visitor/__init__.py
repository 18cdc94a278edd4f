"""A cookie of our own for whoever is not known in another way: put it last under `identity`.

It never rejects. A forged or broken cookie brings a new visitor, as no cookie does.
"""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_identity_visitor.provider import VisitorIdentity
from gateway_identity_visitor.settings import VisitorSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="An anonymous visitor, known again by a signed cookie.",
    settings=VisitorSettings,
    create=VisitorIdentity,
)
