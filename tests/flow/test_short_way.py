"""What goes the short way, and what does not: first visits, pages for newcomers, results, and people who have paid."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import CONFIG
from .raw import RawApplication, answer
from .service import DEADLINE, NAVIGATION, pay, wait_until
from .watched import OK, Watched, exchange, get, watched

CSV = b"a,b\n1,2\n"
RESULT = answer(b"content-type: text/csv", body=CSV)
PAGE = answer(b"content-type: text/html", body=b"<p>page")
DECLARED = answer(b"paywall-result: yes", body=b"what was declared")


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A gateway in front of an application of exact bytes."""
    raw.answers |= {
        b"/any": PAGE,
        b"/static/x": PAGE,
        b"/docs/page": PAGE,
        b"/docs/list": RESULT,
        b"/declared": DECLARED,
    }
    raw.answers |= {b"/report.csv": RESULT, b"/blocked/x": RESULT, b"/projects": OK}
    with watched(raw, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def asked(raw: RawApplication, target: bytes) -> int:
    """How often the application was asked for it."""
    return sum(head.split(b" ")[1] == target for head in raw.heads)


class TestFirstVisits:
    def test_somebody_new_goes_the_long_way_once_and_the_trial_begins(self, service: Watched, person: str) -> None:
        with service.crossing(0):
            assert service.request("GET", "/any", {"x-user-id": person}).body == b"<p>page"
        wait_until(lambda: service.me(person)["trial_ends"], "the trial has begun")
        with service.crossing(3):
            for _ in range(3):
                assert service.request("GET", "/any", {"x-user-id": person}).body == b"<p>page"

    def test_who_says_nothing_and_asks_for_no_page_is_nobody(self, service: Watched) -> None:
        with service.crossing(1):
            assert service.request("GET", "/any").header("set-cookie") == ""

    def test_a_newcomer_gets_a_cookie_with_the_page_and_is_known_by_it(self, service: Watched) -> None:
        with service.crossing(0):
            page = service.request("GET", "/any", NAVIGATION)
            cookie = {"cookie": page.header("set-cookie").partition(";")[0]}
            assert cookie["cookie"].startswith("paywall_visitor=")
            again = service.request("GET", "/any", {**NAVIGATION, **cookie})
        assert again.header("set-cookie") == ""
        wait_until(
            lambda: service.request("GET", "/_paywall/me", cookie).json()["trial_ends"], "the visitor's trial has begun"
        )
        with service.crossing(2):
            for _ in range(2):
                assert service.request("GET", "/any", {**NAVIGATION, **cookie}).header("set-cookie") == ""

    def test_a_forged_cookie_is_a_newcomer_each_time(self, service: Watched) -> None:
        forged = {"cookie": "paywall_visitor=" + "A" * 43}
        with service.crossing(0):
            for _ in range(2):
                assert service.request("GET", "/any", {**NAVIGATION, **forged}).header("set-cookie")

    def test_exempt_routes_know_nobody_and_begin_nothing(self, service: Watched, person: str) -> None:
        with service.crossing(2):
            assert service.request("GET", "/static/x", {"x-user-id": person}).body == b"<p>page"
            assert service.request("GET", "/static/x", NAVIGATION).header("set-cookie") == ""
        assert service.me(person)["trial_ends"] is None

    def test_a_name_is_believed_from_trusted_proxies_alone(self, raw: RawApplication, tmp_path: Path) -> None:
        config = CONFIG.replace("127.0.0.1/32", "192.0.2.1/32")
        with watched(raw, tmp_path, config) as running, running.crossing(1):
            assert running.request("GET", "/any", {"x-user-id": "the-boss"}).body == b"<p>page"
            assert b"the-boss" not in raw.head_of(b"/any") and b"x-forwarded-for: 127.0.0.1" in raw.head_of(b"/any")

    def test_whose_visit_the_store_did_not_take_is_noted_later(self, raw: RawApplication, tmp_path: Path) -> None:
        with watched(raw, tmp_path) as running:
            (store,) = running.children()
            os.kill(store, signal.SIGSTOP)
            for number in range(3):
                who = {"x-user-id": f"early-{number}"}
                assert running.request("GET", "/any", who).body == b"<p>page"
            os.kill(store, signal.SIGKILL)
            wait_until(lambda: running.request("GET", "/_paywall/health/ready").status == 200, "the store is back")

            def has_begun(person: str) -> bool:
                assert running.request("GET", "/any", {"x-user-id": person}).body == b"<p>page"
                return running.me(person)["trial_ends"] is not None

            for number in range(3):
                wait_until(lambda number=number: has_begun(f"early-{number}"), "a later visit begins the trial")  # type: ignore[misc]

    def test_a_new_config_knows_nobody(self, raw: RawApplication, tmp_path: Path, person: str) -> None:
        """What somebody says of themselves may mean somebody else by it, and begin another trial."""
        config = CONFIG.replace("starts: first-visit", "starts: first-result")
        with watched(raw, tmp_path, config) as running:
            with running.crossing(1):
                for _ in range(2):
                    running.request("GET", "/any", {"x-user-id": person})
            assert running.me(person)["trial_ends"] is None
            running.change("starts: first-result", "starts: first-visit")
            wait_until(lambda: running.said("the new config is in force"), "the new config is in force")
            with running.crossing(0):
                running.request("GET", "/any", {"x-user-id": person})
            wait_until(lambda: running.me(person)["trial_ends"], "the trial has begun")


class TestResults:
    """What only the answer shows to be a result."""

    @pytest.fixture
    def expired(self, service: Watched, person: str) -> str:
        """Somebody whose trial is over, and who was met since."""
        service.expire(person)
        assert service.request("GET", "/any", {"x-user-id": person}).status == 200
        return person

    @pytest.mark.parametrize("path", ["/declared", "/docs/list"])
    def test_is_made_once_kept_and_released(
        self, service: Watched, raw: RawApplication, expired: str, path: str
    ) -> None:
        before = asked(raw, path.encode())
        body = b"what was declared" if path == "/declared" else CSV
        with service.crossing(0):
            held = service.request("GET", path, {"x-user-id": expired})
        assert (held.status, held.reason) == (402, "result-held")
        assert body not in held.body and asked(raw, path.encode()) == before + 1
        pay(service, expired, held.json()["checkout"][0]["address"])
        released = service.request("GET", held.json()["hold"]["release"], {"x-user-id": expired})
        assert (released.body, released.header("paywall-result")) == (body, "")

    def test_is_kept_from_whoever_says_nothing_of_themselves(self, service: Watched, raw: RawApplication) -> None:
        """A visitor whose cookie has not come back is on trial; whoever returns it and has expired is not."""
        fresh = service.request("GET", "/declared")
        assert fresh.body == b"what was declared"
        cookie = fresh.header("set-cookie").partition(";")[0]
        service.command(
            "subject", "expire", service.request("GET", "/_paywall/me", {"cookie": cookie}).json()["subject"]
        )
        assert service.request("GET", "/any", {"cookie": cookie}).status == 200
        before = asked(raw, b"/declared")
        assert service.request("GET", "/declared", {"cookie": cookie}).reason == "result-held"
        assert asked(raw, b"/declared") == before + 1

    def test_a_page_among_them_passes_the_short_way(self, service: Watched, expired: str) -> None:
        with service.crossing(1):
            assert service.request("GET", "/docs/page", {"x-user-id": expired}).body == b"<p>page"

    @pytest.mark.parametrize("apart", [0, 3], ids=["its head alone", "its head with a beginning"])
    @pytest.mark.parametrize("framing", ["length", "chunks", "the end"])
    def test_is_kept_whole_however_it_arrives(
        self, service: Watched, raw: RawApplication, expired: str, apart: int, framing: str
    ) -> None:
        def script(connection: socket.socket, _: bytes) -> None:
            connection.sendall(head + body[:cut])
            come.wait(DEADLINE)
            connection.sendall(body[cut:])

        come = threading.Event()
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CSV), CSV) if framing == "chunks" else CSV
        cut = apart + 3 if framing == "chunks" and apart else apart
        version = b"HTTP/1.0" if framing == "the end" else b"HTTP/1.1"
        head = version + b" 200 OK\r\ncontent-type: text/csv\r\n"
        head += {"length": b"content-length: %d\r\n" % len(CSV), "chunks": b"transfer-encoding: chunked\r\n"}.get(
            framing, b""
        )
        head += b"\r\n"
        target = f"/docs/{framing.replace(' ', '-')}-{apart}"
        raw.answers[target.encode()] = script
        with service.crossing(0), service.connect() as client:
            client.sendall(get(target.encode(), b"x-user-id: " + expired.encode()))
            wait_until(lambda: asked(raw, target.encode()) == 1, "the application is asked")
            come.set()
            told = client.makefile("rb").read()
        assert told.startswith(b"HTTP/1.1 402 ") and b"paywall-reason: result-held" in told
        held = service.me(expired)["holds"][0]
        assert (held["size"], held["media_type"]) == (len(CSV), "text/csv")
        assert asked(raw, target.encode()) == 1

    def test_that_breaks_off_is_thrown_away(self, service: Watched, raw: RawApplication, expired: str) -> None:
        def script(connection: socket.socket, _: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 100\r\n\r\n" + CSV)

        raw.answers[b"/docs/broken"] = script
        with service.crossing(0):
            told = exchange(service, get(b"/docs/broken", b"x-user-id: " + expired.encode()))
        assert told.startswith(b"HTTP/1.1 502 ") and b"paywall-reason: upstream-broken" in told
        assert service.me(expired)["holds"] == []

    def test_passes_for_who_is_on_trial_and_without_the_word_for_us(self, service: Watched, person: str) -> None:
        service.request("GET", "/any", {"x-user-id": person})
        for _ in range(2):
            reply = service.request("GET", "/declared", {"x-user-id": person})
            assert (reply.status, reply.body, reply.header("paywall-result")) == (200, b"what was declared", "")

    def test_an_action_that_yields_one_is_carried_out_once(
        self, service: Watched, raw: RawApplication, expired: str
    ) -> None:
        raw.answers[b"/projects"] = DECLARED
        before = asked(raw, b"/projects")
        try:
            told = service.request("POST", "/projects", {"x-user-id": expired})
        finally:
            raw.answers[b"/projects"] = OK
        assert told.reason == "result-held" and asked(raw, b"/projects") == before + 1

    @pytest.mark.parametrize("target", [b"//any", b"/x/../blocked/x", b"/any%2f", b"/any#x", b"/BLOCKED/x"])
    def test_by_an_odd_address_is_not_made(
        self, service: Watched, raw: RawApplication, expired: str, target: bytes
    ) -> None:
        with service.crossing(0):
            before = len(raw.heads)
            told = exchange(service, get(target, b"x-user-id: " + expired.encode()))
            assert len(raw.heads) == before
        assert told.split(b" ")[1] in (b"402", b"308")

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_a_look_at_one_gives_nothing_away(self, service: Watched, expired: str, method: str) -> None:
        with service.crossing(0):
            reply = service.request(method, "/docs/list", {"x-user-id": expired})
        assert reply.status == 402 and reply.header("content-type") != "text/csv" and CSV not in reply.body


class TestRights:
    """Results of whoever is known to have a right to them."""

    def test_go_the_short_way_and_stay_private(self, service: Watched, person: str) -> None:
        headers = {"x-user-id": person}
        for _ in range(2):  # the first begins the trial, the second finds out that it goes on
            assert service.request("GET", "/report.csv", headers).body == CSV
        with service.crossing(1):
            reply = service.request("GET", "/report.csv", headers)
        assert (reply.status, reply.body) == (200, CSV)
        assert (reply.header("cache-control"), reply.header("vary")) == ("private", "x-user-id, cookie")
        entry = service.entry("/report.csv")
        assert (entry["decision"], entry["reason"], entry["route"]) == ("forward", "trial", "report")
        assert entry["subject"]

    def test_end_with_the_trial(self, service: Watched, raw: RawApplication, person: str) -> None:
        """As soon as the store's news has come, which another process has caused."""
        headers = {"x-user-id": person}
        for _ in range(3):
            assert service.request("GET", "/blocked/x", headers).body == CSV
        service.expire(person)
        wait_until(
            lambda: service.request("GET", "/blocked/x", headers).reason == "payment-required", "the trial is over"
        )
        before = asked(raw, b"/blocked/x")
        for _ in range(3):
            assert service.request("GET", "/blocked/x", headers).reason == "payment-required"
        assert asked(raw, b"/blocked/x") == before

    def test_are_nobody_elses_on_the_same_connection(self, service: Watched, person: str) -> None:
        rich, poor = f"{person}-rich", f"{person}-poor"
        service.expire(poor)
        for _ in range(3):
            service.request("GET", "/blocked/x", {"x-user-id": rich})
        with service.connect() as client, client.makefile("rb") as answers:
            statuses = []
            for who in (rich, poor, rich, poor):
                client.sendall(get(b"/blocked/x", b"x-user-id: " + who.encode(), last=False))
                statuses.append(answers.readline().split(b" ")[1])
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                answers.read(length)
        assert statuses == [b"200", b"402", b"200", b"402"]
