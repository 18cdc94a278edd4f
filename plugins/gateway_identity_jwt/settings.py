"""What the config says about tokens."""

from __future__ import annotations

import ipaddress
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gateway.core.quantity import SECOND
from gateway.ports.fields import Duration, Secret, Settings
from gateway_identity_jwt.sources import Source

SHARED_SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
PUBLIC_KEY_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "EdDSA"),
)


class JwtSettings(Settings):
    """Where the token is found, what verifies it, and what it must say."""

    sources: str | tuple[str, ...] = Field("bearer", alias="from")
    """`bearer`, `cookie:NAME` or `header:NAME`, or a list of them."""
    jwks: str | None = None
    """Address of the issuer's published keys (RFC 7517)."""
    secret: Secret | None = None
    """Shared secret, for HS256 and its kind alone."""
    public_key: Secret | None = None
    """PEM of the one public key."""
    algorithms: tuple[str, ...] = ()
    """What may sign a token; without it HS256 for a secret, RS256 and ES256 for the others."""
    issuer: str | tuple[str, ...] | None = None
    audience: str | tuple[str, ...] | None = None
    """Whom tokens are for. A token that names an audience is rejected while this is not set (RFC 7519, 4.1.3)."""
    subject: str = Field("sub", min_length=1)
    """The claim that names the subject."""
    kind: Literal["person", "account"] = "person"
    types: tuple[str, ...] = ("JWT", "at+jwt")
    """Values of the `typ` header that are accepted, besides none at all. Keeps logout tokens and the like out."""
    leeway: Duration = Field(30 * SECOND, validate_default=False, json_schema_extra={"default": "30s"})
    """How far the clocks may differ."""
    require_expiry: bool = True

    @field_validator("sources")
    @classmethod
    def _names_places(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not value:
            raise ValueError("name at least one place: bearer, cookie:NAME or header:NAME")
        for text in as_tuple(value):
            Source.parse(text)
        return value

    @field_validator("issuer", "audience")
    @classmethod
    def _is_not_empty(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if value is not None and not (value and all(as_tuple(value))):
            raise ValueError("must not be empty: name at least one, or leave the key out")
        return value

    @field_validator("jwks")
    @classmethod
    def _is_safe_to_fetch(cls, value: str | None) -> str | None:
        if value is not None:
            _check_address(value)
        return value

    @model_validator(mode="after")
    def _has_one_key_and_what_fits_it(self) -> Self:
        given = [name for name in ("jwks", "secret", "public_key") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of jwks, secret and public_key")
        allowed = SHARED_SECRET_ALGORITHMS if self.secret else PUBLIC_KEY_ALGORITHMS
        for name in self.algorithms:
            if name not in allowed:
                raise ValueError(f"{name!r} can't be used with {given[0]}: allowed are {', '.join(allowed)}")
        return self

    @property
    def allowed_algorithms(self) -> tuple[str, ...]:
        """The algorithms, with the default filled in."""
        return self.algorithms or (("HS256",) if self.secret else ("RS256", "ES256"))


def as_tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """One or several, as several."""
    return (value,) if isinstance(value, str) else value


def _check_address(address: str) -> None:
    """Raises `ValueError` for an address that could not be trusted to bring the issuer's own keys."""
    parts = urlsplit(address)
    host = parts.hostname
    if not host or parts.scheme not in ("https", "http"):
        raise ValueError(f"{address!r} is not an address: write it like https://id.example/jwks.json")
    if parts.username is not None or parts.fragment:
        raise ValueError("the address must hold no user name, password or fragment")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("keys are fetched over https only; http is allowed for localhost")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
