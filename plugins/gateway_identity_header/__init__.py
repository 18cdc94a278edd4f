"""Who a request is for, as a proxy in front says: it has checked, and names the subject in a header.

Believed only on connections from `trusted_proxies`; from anyone else the header says nothing at all.
"""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_identity_header.provider import HeaderIdentity, HeaderSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="The subject that a trusted proxy in front names in a header.",
    settings=HeaderSettings,
    create=HeaderIdentity,
)
