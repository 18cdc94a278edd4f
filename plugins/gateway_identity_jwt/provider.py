"""The identity of whoever holds a good token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import jwt
from jwt.types import Options

from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Credentials, Identified, Rejected
from gateway.ports.plugin import Host
from gateway_identity_jwt.claims import check_times, subject_id
from gateway_identity_jwt.jwks import KeysUnavailable, PublishedKeys
from gateway_identity_jwt.keys import VerificationKey, from_pem, from_secret
from gateway_identity_jwt.memory import VerifiedTokens
from gateway_identity_jwt.settings import JwtSettings, as_tuple
from gateway_identity_jwt.sources import Source, find_token
from gateway_identity_jwt.token import LENGTH_LIMIT, Unfit, read_head

# The other claims are checked in claims.py: by the gateway's own clock, and with stricter types.
_SIGNATURE_ISSUER_AUDIENCE: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}

UNAVAILABLE = Rejected("can't be verified at the moment", temporary=True)
"""The reason that is nobody's fault but the issuer's: the token may be good, and is not believed."""


class Keys(Protocol):
    """Where the key for a token comes from."""

    async def start(self) -> None:
        """Read or begin to fetch. Raises `ValueError` when what the config names is no usable key."""
        ...

    async def stop(self) -> None:
        """Let go of everything."""
        ...

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key that must have signed, if there is one. Raises `KeysUnavailable`."""
        ...


class OwnKey:
    """The one secret or public key of the config; a token's `kid` has nothing to choose from."""

    def __init__(self, settings: JwtSettings) -> None:
        self._settings = settings
        self._key: VerificationKey | None = None

    async def start(self) -> None:
        """Read the secret. Raises `ValueError` with the mend."""
        settings = self._settings
        if settings.secret is not None:
            self._key = from_secret(settings.secret.reveal(), settings.allowed_algorithms)
        elif settings.public_key is not None:
            self._key = from_pem(settings.public_key.reveal(), settings.allowed_algorithms)

    async def stop(self) -> None:
        """Nothing is open."""

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key, if it verifies this algorithm."""
        if self._key is None:
            raise KeysUnavailable
        return self._key if algorithm in self._key.algorithms else None


class JwtIdentity:
    """Believes tokens whose signature, time, issuer and audience hold."""

    def __init__(self, settings: JwtSettings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._sources = tuple(Source.parse(text) for text in as_tuple(settings.sources))
        self._types = frozenset(kind.lower().removeprefix("application/") for kind in settings.types)
        self._kind = SubjectKind(settings.kind)
        self._verified = VerifiedTokens()
        self._keys: Keys = OwnKey(settings)
        if settings.jwks is not None:
            self._keys = PublishedKeys(settings.jwks, settings.allowed_algorithms, host, self._verified.clear)
        self.vary = tuple(dict.fromkeys(source.vary for source in self._sources))
        self.proven = True
        self.trusted_headers: tuple[str, ...] = ()

    async def start(self) -> None:
        """Read the key, or begin to fetch the published ones. Raises `ValueError` for a key that can't be used."""
        await self._keys.start()

    async def stop(self) -> None:
        """Let go of the keys."""
        await self._keys.stop()
        self._verified.clear()

    async def identify(self, credentials: Credentials) -> Identified | Rejected | None:
        """Whom the token names; None when the request carries no JWT."""
        token = find_token(self._sources, credentials)
        if token is None or isinstance(token, Rejected):
            return token
        if len(token) > LENGTH_LIMIT:  # before the digest: nothing is spent on it
            return Rejected("is longer than 8 KiB")
        digest = hashlib.sha256(token).digest()
        known = self._verified.recall(digest, self._host.now())
        if known is not None:
            return known
        try:
            return await self._verify(token, digest)
        except Unfit as unfit:
            return Rejected(str(unfit))
        except KeysUnavailable:
            return UNAVAILABLE

    async def _verify(self, token: bytes, digest: bytes) -> Identified:
        settings = self._settings
        head = read_head(token, settings.allowed_algorithms, self._types)
        key = await self._keys.find(head.key_id, head.algorithm)
        if key is None:
            raise Unfit("is signed with a key that is not known")
        claims = self._signed_claims(token, key)
        now = self._host.now()
        expires = check_times(claims, now, settings.leeway, settings.require_expiry)
        who = Identified(Subject(self._kind, subject_id(claims, settings.subject)), claims)
        self._verified.remember(digest, who, now, expires)
        return who

    def _signed_claims(self, token: bytes, key: VerificationKey) -> Mapping[str, object]:
        """The claims under a good signature, for us. Raises `Unfit`."""
        settings = self._settings
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                key.material,
                algorithms=key.algorithms,
                issuer=settings.issuer,
                audience=settings.audience,
                options=_SIGNATURE_ISSUER_AUDIENCE,
            )
        except jwt.InvalidSignatureError:
            raise Unfit("has a signature that does not fit") from None
        except jwt.MissingRequiredClaimError as missing:
            raise Unfit(f"has no {missing.claim}") from None
        except jwt.InvalidIssuerError:
            raise Unfit("is from another issuer") from None
        except jwt.InvalidAudienceError:
            if settings.audience is None:
                raise Unfit("is for an audience, and the config names none") from None
            raise Unfit("is for another audience") from None
        except jwt.PyJWTError:
            raise Unfit("is malformed") from None
        return claims
