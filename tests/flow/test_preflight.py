"""What a browser asks before a page of another site may send a request (Fetch Standard, CORS-preflight request)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import CONFIG
from .raw import RawApplication, answer
from .service import Service, running

ASKS = {"origin": "https://app.example", "access-control-request-method": "GET"}
RESULT = b"the result of any method"


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway before an application that answers every method alike."""
    for path in (b"/report.csv", b"/blocked/x", b"/x/../report.csv", b"/missing"):
        raw.answers[path] = answer(
            b"access-control-allow-origin: https://app.example",
            b"access-control-allow-headers: authorization",
            b"vary: origin",
            b"allow: GET, OPTIONS",
            b'etag: "of the result"',
            b"content-disposition: attachment; filename=secret.csv",
            b"set-cookie: session=1",
            b"paywall-result: yes",
            body=RESULT,
        )
    folder = tmp_path_factory.mktemp("gateway")
    with running(folder, CONFIG.format(upstream=raw.url, data=folder)) as service:
        yield service


def test_it_is_answered_for_whoever_it_is_and_carries_no_result(service: Service) -> None:
    reply = service.request("OPTIONS", "/report.csv", ASKS)
    assert (reply.status, reply.body) == (200, b"")
    assert dict(reply.headers) == {
        "access-control-allow-origin": "https://app.example",
        "access-control-allow-headers": "authorization",
        "vary": "origin",
        "allow": "GET, OPTIONS",
        "content-length": "0",
    }
    assert service.entry("/report.csv", reason="preflight")["decision"] == "forward"


def test_it_tells_nothing_to_somebody_whose_trial_is_over(service: Service, expired: str) -> None:
    reply = service.request("OPTIONS", "/report.csv", {**ASKS, "x-user-id": expired})
    assert (reply.status, reply.body, reply.header("etag"), reply.header("content-disposition")) == (200, b"", "", "")
    assert service.grace_used(expired, "graceful") == 0


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("OPTIONS", "/report.csv", {}),
        ("OPTIONS", "/report.csv", {"origin": "https://app.example"}),
        ("OPTIONS", "/report.csv", {"access-control-request-method": "GET"}),
        ("GET", "/report.csv", ASKS),
        ("HEAD", "/report.csv", ASKS),
        ("OPTIONS", "/blocked/x", ASKS),
        ("OPTIONS", "/x/../report.csv", ASKS),
    ],
    ids=["plain", "no method", "no origin", "GET", "HEAD", "a route that blocks", "ambiguous"],
)
def test_whatever_is_none_is_decided_as_ever(
    service: Service, raw: RawApplication, expired: str, method: str, path: str, headers: dict[str, str]
) -> None:
    reply = service.request(method, path, {**headers, "x-user-id": expired})
    assert reply.status == 402 and RESULT not in reply.body
    assert "access-control-allow-origin" not in dict(reply.headers)


def test_a_body_makes_it_something_else(service: Service, expired: str) -> None:
    reply = service.request("OPTIONS", "/report.csv", {**ASKS, "x-user-id": expired}, b"x")
    assert reply.status == 402
