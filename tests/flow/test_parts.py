"""Parts of results: nobody gets a result piece by piece, and what is spent is spent on a whole one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from .conftest import CONFIG
from .raw import RawApplication, Script, answer
from .service import Service, pay, running

WHOLE = b"name,amount\nann,1\nbob,2\n"
CLOSE = b"connection: close"
PARTIAL = {
    "range": "bytes=0-3",
    "if-range": '"1"',
    "if-none-match": '"1"',
    "if-modified-since": "Tue, 24 Nov 2026 00:00:00 GMT",
    "if-match": '"1"',
    "if-unmodified-since": "Tue, 24 Nov 2026 00:00:00 GMT",
}
ONE, MANY = {"range": "bytes=0-3"}, {"range": "bytes=0-11,12-22"}


def by_range(media_type: bytes) -> Script:
    """Answers as it is asked: the whole, a part, several parts, or that it has not changed."""
    kind, range_ = b"content-type: " + media_type, b"content-range: bytes 0-3/24"
    several = b"--B\r\n%b\r\ncontent-range: bytes 0-22/24\r\n\r\n%b\r\n--B--\r\n" % (kind, WHOLE[:23])
    parts = answer(
        CLOSE, b"content-type: multipart/byteranges; boundary=B", body=several, status=b"206 Partial Content"
    )

    def script(connection: socket.socket, head: bytes) -> None:
        if b"\r\nif-none-match:" in head:
            connection.sendall(answer(CLOSE, status=b"304 Not Modified", body=b""))
        elif b"\r\nrange: bytes=0-11,12-22\r\n" in head:
            connection.sendall(parts)
        elif b"\r\nrange:" in head:
            connection.sendall(answer(CLOSE, kind, range_, body=WHOLE[:4], status=b"206 Partial Content"))
        else:
            connection.sendall(answer(CLOSE, kind, body=WHOLE))

    return script


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway before an application that knows ranges."""
    for path in (b"/blocked/r", b"/metered/r", b"/docs/r", b"/report.csv"):
        raw.answers[path] = by_range(b"text/csv")
    raw.answers[b"/docs/page"] = by_range(b"text/html")
    raw.answers[b"/blocked/x"] = answer()
    folder = tmp_path_factory.mktemp("gateway")
    with running(folder, CONFIG.format(upstream=raw.url, data=folder)) as service:
        yield service


@pytest.fixture
def rich(service: Service, expired: str) -> str:
    """Somebody who has paid for one result."""
    told = service.request("POST", "/blocked/x", {"x-user-id": expired}).json()
    assert pay(service, expired, told["checkout"][0]["address"]).status == 303
    assert service.me(expired)["results_paid_for"] == 1
    return expired


class TestWhatIsTaken:
    """By a credit or by grace: the application is asked for the whole, whatever the client asked for."""

    @pytest.mark.parametrize("asked", [PARTIAL, ONE, MANY], ids=["all conditions", "a range", "many ranges"])
    def test_by_a_credit_is_a_whole_result(
        self, service: Service, raw: RawApplication, rich: str, asked: dict[str, str]
    ) -> None:
        reply = service.request("GET", "/blocked/r", {**asked, "x-user-id": rich})
        assert (reply.status, reply.body) == (200, WHOLE)
        assert not partial(raw.head_of(b"/blocked/r"))
        assert service.me(rich)["results_paid_for"] == 0
        assert service.request("GET", "/blocked/r", {**asked, "x-user-id": rich}).status == 402

    def test_by_grace_is_a_whole_result(self, service: Service, raw: RawApplication, expired: str) -> None:
        for spent in (1, 2):
            reply = service.request("GET", "/metered/r", {**PARTIAL, "x-user-id": expired})
            assert (reply.status, reply.body) == (200, WHOLE)
            assert not partial(raw.head_of(b"/metered/r"))
            assert service.grace_used(expired, "metered") == spent
        assert service.request("GET", "/metered/r", {**ONE, "x-user-id": expired}).status == 402

    @pytest.mark.parametrize("asked", [ONE, MANY], ids=["a range", "many ranges"])
    def test_where_only_the_answer_shows_it_is_asked_for_again(
        self, service: Service, raw: RawApplication, rich: str, asked: dict[str, str]
    ) -> None:
        before = len(raw.heads)
        reply = service.request("GET", "/docs/r", {**asked, "x-user-id": rich})
        assert (reply.status, reply.body) == (200, WHOLE)
        assert [partial(head) for head in raw.heads[before:]] == [{"range"}, set()]
        assert service.me(rich)["results_paid_for"] == 0
        assert service.request("GET", "/docs/r", {**asked, "x-user-id": rich}).reason == "hold-partial"

    def test_what_turns_out_to_be_no_result_costs_nothing(self, service: Service, rich: str) -> None:
        reply = service.request("GET", "/docs/page", {**MANY, "x-user-id": rich})
        assert (reply.status, reply.body) == (200, WHOLE)
        assert service.me(rich)["results_paid_for"] == 1

    def test_on_trial_parts_pass_as_they_are(self, service: Service, raw: RawApplication, person: str) -> None:
        for path in ("/blocked/r", "/docs/r"):
            reply = service.request("GET", path, {**ONE, "x-user-id": person})
            assert (reply.status, reply.body, reply.header("content-range")) == (206, b"name", "bytes 0-3/24")
        assert service.request("GET", "/blocked/r", {**PARTIAL, "x-user-id": person}).status == 304
        assert partial(raw.head_of(b"/blocked/r")) == set(PARTIAL)


class TestManyRanges:
    """Their own media type stands inside the body, where nobody looks: they count as what is withheld."""

    def test_of_a_result_give_nothing_away(self, service: Service, expired: str) -> None:
        for asked in (ONE, MANY):
            reply = service.request("GET", "/docs/r", {**asked, "x-user-id": expired})
            assert (reply.status, reply.reason) == (402, "hold-partial")
            assert b"ann" not in reply.body
        assert service.me(expired)["holds"] == []

    def test_of_a_result_are_kept_whole(self, service: Service, raw: RawApplication, expired: str) -> None:
        reply = service.request("GET", "/report.csv", {**MANY, **PARTIAL, "x-user-id": expired})
        assert reply.reason == "result-held" and reply.json()["hold"]["size"] == len(WHOLE)
        assert not partial(raw.head_of(b"/report.csv"))

    def test_pass_for_whoever_may_have_the_result(self, service: Service, person: str) -> None:
        reply = service.request("GET", "/docs/r", {**MANY, "x-user-id": person})
        assert reply.status == 206 and reply.header("content-type").startswith("multipart/byteranges")


def partial(head: bytes) -> set[str]:
    """The headers of a request's head that ask for less than the whole."""
    names = {line.partition(b":")[0].decode("latin-1") for line in head.split(b"\r\n")[1:]}
    return names & PARTIAL.keys()
