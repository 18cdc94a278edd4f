"""Who a request is for, as its JSON Web Token says (RFC 7519), read by the rules of RFC 8725.

The token is taken from `Authorization: Bearer`, from a cookie or from a header, and verified with a secret, a public
key or the keys that its issuer publishes. A bearer that is no JWT at all is none of this plugin's business; a JWT that
does not hold is rejected, never passed over.
"""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_identity_jwt.provider import JwtIdentity
from gateway_identity_jwt.settings import JwtSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="The subject of a signed JSON Web Token in the Authorization header, a cookie or another header.",
    settings=JwtSettings,
    create=JwtIdentity,
)
