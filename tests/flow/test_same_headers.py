"""Requests whose headers are those of an earlier one: what was found out about it holds, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gateway.web.message import BadMessage, Guards

from .conftest import CONFIG
from .raw import RawApplication
from .watched import OK, Watched, watched

Headers = list[tuple[bytes, bytes]]

HOST = (b"host", b"example.org")


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A gateway that trusts one of two addresses on this machine."""
    config = CONFIG.replace("127.0.0.1/32", "127.0.0.2/32")
    with watched(raw, tmp_path_factory.mktemp("gateway"), config) as running:
        yield running


def asked_from(address: str, service: Watched, raw: RawApplication, target: bytes, *lines: bytes) -> bytes:
    """The head that reaches the application for a request from this address."""
    raw.answers[target] = OK
    with socket.create_connection(("127.0.0.1", service.port), timeout=10, source_address=(address, 0)) as client:
        client.sendall(
            b"\r\n".join([b"GET %s HTTP/1.1" % target, b"host: same", b"connection: close", *lines, b"", b""])
        )
        while client.recv(65536):
            pass
    return raw.head_of(target)


class TestAddresses:
    def test_each_client_is_told_of_by_its_own_address(self, service: Watched, raw: RawApplication) -> None:
        heads = [asked_from(f"127.0.0.{last}", service, raw, b"/from-%d" % last) for last in (3, 4, 3)]
        assert [head.count(b"x-forwarded-for: ") for head in heads] == [1, 1, 1]
        assert b"x-forwarded-for: 127.0.0.3\r\n" in heads[0]
        assert b"x-forwarded-for: 127.0.0.4\r\n" in heads[1]
        assert b"x-forwarded-for: 127.0.0.3\r\n" in heads[2]

    def test_what_a_trusted_peer_may_say_a_stranger_may_not(self, service: Watched, raw: RawApplication) -> None:
        said = (b"x-forwarded-for: 192.0.2.7", b"x-user-id: the-boss")
        trusted = asked_from("127.0.0.2", service, raw, b"/by-a-friend", *said)
        stranger = asked_from("127.0.0.5", service, raw, b"/by-a-stranger", *said)
        again = asked_from("127.0.0.2", service, raw, b"/by-a-friend-again", *said)
        for head in (trusted, again):
            assert b"the-boss" in head and b"x-forwarded-for: 192.0.2.7, 127.0.0.2\r\n" in head
        assert b"the-boss" not in stranger and b"x-forwarded-for: 127.0.0.5\r\n" in stranger


class TestGuard:
    def guard(self) -> Guards:
        return Guards(frozenset({b"paywall-context"}), frozenset({b"x-user-id"}))

    def test_the_same_headers_are_judged_once_and_other_targets_stay_apart(self) -> None:
        guard = self.guard().of(False)
        headers = [HOST, (b"paywall-context", b"mine"), (b"accept", b"*/*")]
        one, two = guard.read("GET", b"/one?a=1", headers), guard.read("POST", b"/two", list(headers))
        assert one.section is two.section and one.headers == [HOST, (b"accept", b"*/*")]
        assert (one.method, one.target, one.path, one.query) == ("GET", b"/one?a=1", b"/one", "a=1")
        assert (two.method, two.target, two.path, two.query) == ("POST", b"/two", b"/two", "")

    @pytest.mark.parametrize(
        "more",
        [
            [(b"accept", b"text/html")],
            [(b"content-length", b"7")],
            [(b"x-http-method-override", b"DELETE")],
            [(b"connection", b"accept")],
            [(b"accept", b"*/*"), (b"accept", b"*/*")],
        ],
    )
    def test_one_other_header_is_another_section(self, more: Headers) -> None:
        guard = self.guard().of(False)
        plain = guard.read("GET", b"/", [HOST, (b"accept", b"*/*")])
        other = guard.read("GET", b"/", [HOST, *more])
        fresh = self.guard().of(False).read("GET", b"/", [HOST, *more])
        assert other.section is not plain.section
        assert (other.headers, other.length, other.overrides) == (fresh.headers, fresh.length, fresh.overrides)

    def test_trusted_peers_and_strangers_share_none(self) -> None:
        guards, headers = self.guard(), [HOST, (b"x-user-id", b"somebody")]
        assert guards.of(True).read("GET", b"/", headers).headers == headers
        assert guards.of(False).read("GET", b"/", headers).headers == [HOST]

    def test_a_host_may_be_missing_in_http_1_0_alone(self) -> None:
        guard = self.guard().of(False)
        assert guard.read("GET", b"/", [], "1.0").host == b""
        with pytest.raises(BadMessage):
            guard.read("GET", b"/", [])
        assert guard.read("GET", b"/", [], "1.0").host == b""

    def test_what_is_refused_is_refused_again(self) -> None:
        guard = self.guard().of(False)
        for _ in range(2):
            with pytest.raises(BadMessage):
                guard.read("GET", b"/", [HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")])

    def test_neither_many_nor_large_ones_fill_the_memory(self) -> None:
        guard = self.guard().of(False)
        large = [HOST, (b"cookie", b"x" * 5000)]
        assert guard.read("GET", b"/", large).section is not guard.read("GET", b"/", large).section
        for number in range(5000):
            guard.read("GET", b"/", [HOST, (b"x-request-id", b"%d" % number)])
        assert len(guard._sections) <= 1024
