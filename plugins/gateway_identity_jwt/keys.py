"""Keys that verify, each bound to the algorithms it may be used with (RFC 8725, 3.1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Material = bytes | RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

KEYS_LIMIT = 64
_HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""RFC 7518, 3.2: at least as long as the hash."""
_RSA_BITS = range(2048, 8192 + 1)
"""Below is weak (RFC 7518, 3.3), above is slow enough to harm."""
_RSA_EXPONENTS = range(3, 2**32)
_CURVES = {"secp256r1": "ES256", "secp256k1": "ES256K", "secp384r1": "ES384", "secp521r1": "ES512"}
_LOADERS = {"RSA": "RS256", "OKP": "EdDSA", "P-256": "ES256", "secp256k1": "ES256K", "P-384": "ES384", "P-521": "ES512"}
"""The algorithm under which PyJWT loads a key of this type or curve."""
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "k"))


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key and the only algorithms it verifies."""

    material: Material
    algorithms: tuple[str, ...]


def from_secret(secret: bytes, algorithms: Sequence[str]) -> VerificationKey:
    """A shared secret as key. Raises `ValueError` when it is too short to resist guessing."""
    for algorithm in algorithms:
        needed = _HMAC_BYTES[algorithm]
        if len(secret) < needed:
            raise ValueError(
                f"the JWT secret has {len(secret)} bytes and {algorithm} needs {needed}: "
                "let the application sign with a longer one, made with `openssl rand -hex 32`"
                + ("" if algorithm == "HS256" else ", or with HS256")
            )
    return VerificationKey(secret, tuple(algorithms))


def from_pem(pem: bytes, algorithms: Sequence[str]) -> VerificationKey:
    """A public key out of its PEM. Raises `ValueError` that says what to give instead."""
    if b"PRIVATE KEY" in pem:
        raise ValueError("the JWT public_key is a private key: give its public half, `openssl pkey -in KEY -pubout`")
    if b"CERTIFICATE" in pem:
        raise ValueError("the JWT public_key is a certificate: give its key, `openssl x509 -in CERT -pubkey -noout`")
    try:
        return _bound(load_pem_public_key(pem), algorithms)
    except Exception as error:  # the library raises several kinds, some of them for unknown curves only
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise ValueError(f"the JWT public_key can't be used with {', '.join(algorithms)}: {why}") from None


def _bound(material: object, algorithms: Sequence[str]) -> VerificationKey:
    """The key with those of `algorithms` that fit it. Raises `ValueError` when none fits or the key is weak."""
    match material:
        case RSAPublicKey():
            if material.key_size not in _RSA_BITS or material.public_numbers().e not in _RSA_EXPONENTS:
                raise ValueError(f"an RSA key must have {_RSA_BITS[0]} to {_RSA_BITS[-1]} bits and a usual exponent")
            fitting = [name for name in algorithms if name.startswith(("RS", "PS"))]
        case EllipticCurvePublicKey():
            fitting = [name for name in algorithms if name == _CURVES.get(material.curve.name)]
        case Ed25519PublicKey() | Ed448PublicKey():
            fitting = [name for name in algorithms if name == "EdDSA"]
        case _:
            raise ValueError("it is no RSA, EC or Ed25519 key")
    if not fitting:
        raise ValueError("the key is of another kind")
    return VerificationKey(material, tuple(fitting))


def from_jwk(jwk: object, algorithms: Sequence[str]) -> VerificationKey:
    """One published key (RFC 7517, 4). Raises `ValueError` when it is weak or not meant for what is allowed."""
    if not isinstance(jwk, dict):
        raise ValueError("it is no JSON object")
    if _PRIVATE_MEMBERS & jwk.keys():
        raise ValueError("it is a private or shared key, and published: whoever reads it can sign")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("it is not meant for signatures")
    if "alg" in jwk:
        algorithms = [name for name in algorithms if name == jwk["alg"]]
    if not algorithms:
        raise ValueError("it is meant for an algorithm that is not allowed")
    loader = _LOADERS.get(str(jwk.get("crv") if jwk.get("kty") == "EC" else jwk.get("kty")))
    if loader is None:
        raise ValueError("it is of an unknown kind")
    return _bound(jwt.PyJWK(jwk, algorithm=loader).key, algorithms)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable ones of the published keys."""

    keys: tuple[tuple[str | None, VerificationKey], ...]
    text: str
    """What was published, in one spelling: equal when and only when nothing changed."""

    def knows(self, key_id: str | None) -> bool:
        """Whether asking the issuer again could not bring a better answer."""
        return key_id is None or any(name == key_id for name, _ in self.keys)

    def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The one key that must have signed; a token that names none is taken only where there is no choice."""
        fitting = [key for name, key in self.keys if algorithm in key.algorithms and (key_id is None or name == key_id)]
        return fitting[0] if len(fitting) == 1 else None


def read_key_set(body: bytes, algorithms: Sequence[str], unusable: Callable[[str], None]) -> KeySet:
    """The keys of a JWK Set (RFC 7517, 5). Raises `ValueError` when there is no usable one.

    One bad key must not cost the others: each is told to `unusable` and left out.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    published = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(published, list):
        raise ValueError("the answer is no set of keys")
    keys: list[tuple[str | None, VerificationKey]] = []
    for index, jwk in enumerate(published[:KEYS_LIMIT], start=1):
        try:
            name = jwk.get("kid") if isinstance(jwk, dict) else None
            keys.append((name if isinstance(name, str) else None, from_jwk(jwk, algorithms)))
        except Exception as error:  # the libraries below raise many kinds on hostile numbers
            unusable(f"key {index} is left out: {error if type(error) is ValueError else type(error).__name__}")
    if not keys:
        raise ValueError("the answer holds no usable key")
    return KeySet(tuple(keys), json.dumps(published, sort_keys=True))
