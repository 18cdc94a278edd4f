"""Whose trial it is: what is proven wins over what is merely said, so that an invented name is no new trial."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jwt
import pytest

from .application import Application
from .conftest import CONFIG
from .service import Service, running

IDENTITY = "  - header: {name: x-user-id}\n  - visitor: {}\n"
SECRET = "0123456789abcdef0123456789abcdef"
HEADER, VISITOR = "  - header: {name: x-user-id}\n", "  - visitor: {}\n"
API_KEY = '  - api_key: {from: "header:x-api-key"}\n'
KNOWN = '  - api_key: {{from: "header:x-api-key", known: {{file: {file}}}}}\n'
JWT = "  - jwt: {{from: [bearer], secret: {{file: {file}}}, algorithms: [HS256]}}\n"
INVENTED = {"x-api-key": "no-such-key-anywhere"}


def bearer(subject: str, expires: int = 4_000_000_000) -> dict[str, str]:
    return {"authorization": "Bearer " + jwt.encode({"sub": subject, "exp": expires}, SECRET, "HS256")}


def subject_of(service: Service, headers: dict[str, str]) -> str:
    subject: str = service.request("GET", "/_paywall/me", headers).json()["subject"]
    return subject


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds the secrets that the identities need."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "keys").write_text(f"billing {hashlib.sha256(b'a-good-key').hexdigest()}\n")
    return tmp_path


def config(application: Application, folder: Path, identity: str) -> str:
    text = CONFIG.format(upstream=application.url, data=folder / "data")
    assert IDENTITY in text
    return text.replace(IDENTITY, identity)


@pytest.mark.parametrize("others", [API_KEY, VISITOR, VISITOR + API_KEY], ids=["key", "visitor", "both"])
def test_a_name_that_a_trusted_proxy_vouches_for(application: Application, folder: Path, others: str) -> None:
    with running(folder, config(application, folder, others + HEADER)) as service:
        service.expire("ann")
        for more in ({}, INVENTED, {"cookie": "paywall_visitor=invented"}):
            reply = service.request("GET", "/report.csv", {**more, "x-user-id": "ann"})
            assert (reply.status, reply.reason) == (402, "result-held"), more
            assert reply.header("set-cookie") == ""
            assert subject_of(service, {**more, "x-user-id": "ann"}) == "person:ann"


@pytest.mark.parametrize("others", [API_KEY, VISITOR], ids=["key", "visitor"])
def test_a_token(application: Application, folder: Path, others: str) -> None:
    token = JWT.format(file=folder / "secret")
    with running(folder, config(application, folder, others + token)) as service:
        service.expire("ann")
        assert service.request("GET", "/report.csv", {**INVENTED, **bearer("ann")}).reason == "result-held"
        # A proof that no longer holds is still no invitation to be somebody else.
        stale = service.request("GET", "/report.csv", {**INVENTED, **bearer("ann", expires=1)})
        assert (stale.status, stale.reason) == (401, "identity-required")


def test_a_key_on_the_list(application: Application, folder: Path) -> None:
    known = KNOWN.format(file=folder / "keys")
    with running(folder, config(application, folder, VISITOR + known + HEADER)) as service:
        good = {"x-api-key": "a-good-key"}
        assert subject_of(service, good) == "key:billing"
        assert subject_of(service, {**good, "x-user-id": "ann"}) == "key:billing", "of two proofs the first one"
        unknown = service.request("GET", "/report.csv", INVENTED)
        assert (unknown.status, unknown.reason) == (401, "identity-required")


def test_a_key_that_is_none_does_not_spoil_a_proof(application: Application, folder: Path) -> None:
    with running(folder, config(application, folder, API_KEY + HEADER + VISITOR)) as service:
        malformed = {"x-api-key": "not a key"}
        assert subject_of(service, {**malformed, "x-user-id": "ann"}) == "person:ann"
        alone = service.request("GET", "/report.csv", malformed)
        assert (alone.status, alone.reason) == (401, "identity-required")


def test_among_what_is_said_the_first_wins(application: Application, folder: Path) -> None:
    with running(folder, config(application, folder, API_KEY + VISITOR)) as service:
        first = subject_of(service, INVENTED)
        assert first.startswith("key:") and first == subject_of(service, INVENTED)
        assert subject_of(service, {"x-api-key": "another"}) != first
        assert subject_of(service, {}).startswith("visitor:")
