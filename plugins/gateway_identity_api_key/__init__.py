"""The API key of a request, as one subject per key.

By default the application alone knows which keys are good; to the gateway each key is a subject of its own, named by a
keyed digest, so that no store, log or backup ever holds a key. With `known`, keys outside of a list are rejected.
"""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_identity_api_key.provider import ApiKeyIdentity
from gateway_identity_api_key.settings import ApiKeySettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="The API key in a header or in Authorization: Bearer.",
    settings=ApiKeySettings,
    create=ApiKeyIdentity,
)
