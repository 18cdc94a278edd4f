"""What a config may say about tokens, and what is told to whoever gets it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway_identity_jwt import plugin
from gateway_identity_jwt.settings import JwtSettings
from tests.plugins.host import FakeHost
from tests.plugins.identify import running
from tests.plugins.keys import private_pem, public_pem

SECRET = {"env": "APP_SECRET"}

REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no key": ({}, "exactly one of jwks, secret and public_key"),
    "two keys": ({"secret": SECRET, "jwks": "https://id.example/"}, "exactly one of jwks, secret and public_key"),
    "a secret as it is": ({"secret": "hush"}, "valid dictionary"),
    "algorithm none": (
        {"secret": SECRET, "algorithms": ["none"]},
        "'none' can't be used with secret: allowed are HS256",
    ),
    "RS256 with a secret": ({"secret": SECRET, "algorithms": ["RS256"]}, "'RS256' can't be used with secret"),
    "HS256 with a public key": ({"public_key": SECRET, "algorithms": ["RS256", "HS256"]}, "'HS256' can't be used with"),
    "HS256 with published keys": (
        {"jwks": "https://id.example/", "algorithms": ["HS256"]},
        "'HS256' can't be used with",
    ),
    "plain http": ({"jwks": "http://id.example/jwks.json"}, "over https only"),
    "a name that looks local": ({"jwks": "http://localhost.evil.example/"}, "over https only"),
    "a file": ({"jwks": "file:///etc/passwd"}, "write it like https://id.example/jwks.json"),
    "no host": ({"jwks": "https:///jwks.json"}, "write it like https://id.example/jwks.json"),
    "a password": ({"jwks": "https://a:b@id.example/"}, "no user name, password or fragment"),
    "no place": ({"secret": SECRET, "from": []}, "name at least one place"),
    "an unknown place": ({"secret": SECRET, "from": "query:token"}, "write bearer, cookie:NAME or header:NAME"),
    "a cookie without name": ({"secret": SECRET, "from": ["cookie:"]}, "write bearer, cookie:NAME or header:NAME"),
    "a header that is let in by nobody": (
        {"secret": SECRET, "from": "header:x_token"},
        "write bearer, cookie:NAME or header:NAME",
    ),
    "the whole cookie header": ({"secret": SECRET, "from": "header:Cookie"}, "write bearer or cookie:NAME"),
    "a kind that tokens have not": ({"secret": SECRET, "kind": "visitor"}, "'person' or 'account'"),
    "an empty issuer": ({"secret": SECRET, "issuer": ""}, "must not be empty"),
    "no audiences": ({"secret": SECRET, "audience": []}, "must not be empty"),
    "an unknown key": ({"secret": SECRET, "alg": "HS256"}, "Extra inputs"),
    "a leeway without unit": ({"secret": SECRET, "leeway": "30"}, "write it like 90s"),
}


@pytest.mark.parametrize(("settings", "why"), REFUSED.values(), ids=REFUSED)
def test_a_config_that_is_not_safe_is_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        JwtSettings.model_validate(settings)


@pytest.mark.parametrize(
    "address", ["http://localhost:8000/k", "http://127.0.0.9/k", "http://[::1]/k", "https://a.b/k?c=d"]
)
def test_addresses_that_are_safe_to_fetch_are_accepted(address: str) -> None:
    assert JwtSettings.model_validate({"jwks": address}).jwks == address


def test_defaults() -> None:
    settings = JwtSettings.model_validate({"secret": SECRET})
    assert (settings.sources, settings.subject, settings.kind, settings.leeway) == ("bearer", "sub", "person", 30_000)
    assert settings.allowed_algorithms == ("HS256",)
    assert settings.require_expiry
    assert JwtSettings.model_validate({"jwks": "https://a.b/k"}).allowed_algorithms == ("RS256", "ES256")


KEYS_REFUSED: dict[str, tuple[str, bytes, list[str], str]] = {
    "short secret": ("secret", b"x" * 31, ["HS256"], "31 bytes and HS256 needs 32: .*openssl rand -hex 32"),
    "short for HS512": ("secret", b"x" * 32, ["HS512"], "32 bytes and HS512 needs 64: .*or with HS256"),
    "private key": ("public_key", private_pem("p256"), ["ES256"], "is a private key: give its public half"),
    "certificate": ("public_key", b"-----BEGIN CERTIFICATE-----", ["ES256"], "is a certificate: give its key"),
    "no key": ("public_key", b"nonsense", ["ES256"], "can't be used with ES256"),
    "key of another kind": ("public_key", public_pem("rsa"), ["ES256"], "the key is of another kind"),
    "key of another curve": ("public_key", public_pem("p384"), ["ES256"], "the key is of another kind"),
    "weak key": ("public_key", public_pem("rsa1024"), ["RS256"], "2048 to 8192 bits"),
}


@pytest.mark.parametrize(("name", "content", "algorithms", "why"), KEYS_REFUSED.values(), ids=KEYS_REFUSED)
async def test_a_key_that_is_not_safe_keeps_the_gateway_from_starting(
    tmp_path: Path, name: str, content: bytes, algorithms: list[str], why: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=why):
        async with running(plugin, {name: {"file": str(path)}, "algorithms": algorithms}, FakeHost()):
            pass


async def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"secret file .*absent can't be read: No such file"):
        async with running(plugin, {"secret": {"file": str(tmp_path / "absent")}}, FakeHost()):
            pass
