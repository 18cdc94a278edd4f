"""Keys and tokens for tests; tokens are put together by hand, so that they may break every rule."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from tests.plugins.host import START_MS

SECRET = b"a secret of the application, sixty-four bytes long at the least!"
NOW = START_MS // 1000
ISSUER, AUDIENCE = "https://id.example", "reports"
CLAIMS: dict[str, object] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": NOW - 10, "exp": NOW + 3600}


@functools.cache
def private_key(name: str) -> Any:
    """One key of each kind, and others of the same kinds under another name: `rsa`, `rsa-other`, `p256`, ..."""
    kind = name.partition("-")[0]
    curves: dict[str, Any] = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "k256": ec.SECP256K1}
    if kind in curves:
        return ec.generate_private_key(curves[kind]())
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "rsa1024":
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return ed448.Ed448PrivateKey.generate() if kind == "ed448" else ed25519.Ed25519PrivateKey.generate()


KEY_OF = {
    "RS256": "rsa",
    "RS512": "rsa",
    "PS256": "rsa",
    "ES256": "p256",
    "ES256K": "k256",
    "ES384": "p384",
    "ES512": "p521",
    "EdDSA": "ed25519",
}


def public_pem(name: str) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(private_key(name).public_key().public_bytes(encoding, form))


def private_pem(name: str) -> bytes:
    form, protection = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return bytes(private_key(name).private_bytes(serialization.Encoding.PEM, form, protection))


def public_jwk(name: str, key_id: str | None, **members: object) -> dict[str, object]:
    key = private_key(name).public_key()
    loader = {"rsa": "RS256", "rsa1024": "RS256", "ed25519": "EdDSA", "ed448": "EdDSA"}
    algorithm = jwt.get_algorithm_by_name(loader.get(name.partition("-")[0], "ES256"))
    jwk: dict[str, object] = dict(algorithm.to_jwk(key, as_dict=True))
    jwk.pop("key_ops", None)
    if key_id is not None:
        jwk["kid"] = key_id
    return {**jwk, **members}


def b64(content: bytes | str | Mapping[str, object]) -> str:
    if isinstance(content, Mapping):
        content = json.dumps(content)
    if isinstance(content, str):
        content = content.encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def with_hmac(header: str, payload: str, secret: bytes = SECRET) -> str:
    """A token over two segments as they are, under a good HS256 signature."""
    signature = hmac.digest(secret, f"{header}.{payload}".encode(), hashlib.sha256)
    return f"{header}.{payload}.{b64(signature)}"


def hs256(claims: Mapping[str, object] | str = CLAIMS, secret: bytes = SECRET, **header: object) -> str:
    return with_hmac(b64({"alg": "HS256", "typ": "JWT", **header}), b64(claims), secret)


def signed(algorithm: str, key: str | None = None, claims: Mapping[str, object] = CLAIMS, **header: object) -> str:
    """A good token under a private key by name."""
    material = private_key(key or KEY_OF[algorithm])
    return jwt.encode(dict(claims), material, algorithm=algorithm, headers=dict(header))
