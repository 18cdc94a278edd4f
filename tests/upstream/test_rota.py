"""Several addresses of one application: who is asked, who is spared, and what goes on elsewhere."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.header_lines import header_lines
from gateway.ports.upstream import Answer, Headers, UpstreamError, UpstreamFailure, WebSocketRefused
from gateway.upstream import health
from gateway.upstream.address import UpstreamAddress, parse_address
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.rota import Place, Rota
from tests.upstream.application import Application, Line, Pieces, Script, answers_and_closes, application, until, whole
from tests.upstream.certificates import self_signed, trusting
from tests.upstream.test_websocket import handshake

HOST = [(b"host", b"app.example")]


@pytest.fixture(autouse=True)
def _pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a test: what is set aside stays so."""
    monkeypatch.setattr(health, "FIRST_PAUSE", 600.0)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause: what is set aside is tried with the next request."""
    monkeypatch.setattr(health, "FIRST_PAUSE", 0.0)


class Team:
    """A rota, and what it has said."""

    def __init__(self, rota: Rota, lines: list[str]) -> None:
        self.rota = rota
        self.lines = lines

    async def get(self) -> bytes:
        """The body of one answer."""
        return await whole(await self.rota.send(b"GET", b"/", HOST, None))

    async def post(self, body: bytes = b"hello", may_retry: bool = False) -> Answer:
        return await self.rota.send(b"POST", b"/", HOST, Pieces([body], len(body)), may_retry=may_retry)

    @property
    def set_aside(self) -> list[bool]:
        return [place.health.set_aside for place in self.rota.places]


@asynccontextmanager
async def team(*addresses: UpstreamAddress, **limits: float) -> AsyncIterator[Team]:
    lines: list[str] = []
    bounds = UpstreamLimits(**{"keepalive_idle": 60.0, **limits})  # type: ignore[arg-type]
    places = [Place(address, bounds, lines.append) for address in addresses]
    try:
        yield Team(Rota(places), lines)
    finally:
        for place in places:
            await place.close()


def named(name: bytes, executed: list[bytes] | None = None) -> Script:
    """Answer every request with this name, and a body with the body too."""

    async def script(line: Line) -> None:
        while head := await line.head():
            body = await line.reader.readexactly(5) if head.startswith(b"POST") else b""
            if executed is not None:
                executed.append(head.split(b" ")[0] + body)
            await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(name + body) + name + body)

    return script


async def silent(line: Line) -> None:
    """Take everything, say nothing."""
    await line.closed_by_gateway()


def nobody() -> UpstreamAddress:
    """An address that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return parse_address(f"http://127.0.0.1:{probe.getsockname()[1]}")


def no_tls_at(hanging: Application) -> UpstreamAddress:
    """An address where a handshake begins and never ends."""
    return parse_address(f"https://localhost:{hanging.address.port}")


async def test_requests_go_round() -> None:
    async with (
        application(named(b"a")) as a,
        application(named(b"b")) as b,
        application(named(b"c")) as c,
        team(a.address, b.address, c.address) as several,
    ):
        assert [await several.get() for _ in range(6)] == [b"a", b"b", b"c"] * 2
        assert (a.connections, b.connections, c.connections) == (1, 1, 1)
        together = Counter(await asyncio.gather(*(several.get() for _ in range(30))))
        assert together == {b"a": 10, b"b": 10, b"c": 10}


async def test_addresses_of_different_kinds_go_round_too(tmp_path: Path) -> None:
    server, certificate = self_signed(tmp_path, "localhost")
    async with (
        application(named(b"plain")) as plain,
        application(named(b"tls"), tls=server, client_tls=trusting(certificate)) as tls,
        application(named(b"unix"), path=tmp_path / "app.sock") as unix,
        team(plain.address, tls.address, unix.address) as several,
    ):
        assert [await several.get() for _ in range(6)] == [b"plain", b"tls", b"unix"] * 2


async def test_one_that_refuses_connections_costs_no_client_its_answer() -> None:
    executed: list[bytes] = []
    async with application(named(b"b", executed)) as b, team(nobody(), b.address) as several:
        gets = [several.get() for _ in range(20)]
        posts = [several.post() for _ in range(20)]
        assert await asyncio.gather(*gets) == [b"b"] * 20
        for answer in await asyncio.gather(*posts):
            assert await whole(answer) == b"bhello"
        assert Counter(executed) == {b"GET": 20, b"POSThello": 20}
        assert several.set_aside == [True, False]
        (line,) = several.lines
        assert "is set aside" in line and str(several.rota.places[0].address) in line


async def test_one_that_stops_while_it_is_asked_costs_no_reader_an_answer() -> None:
    """Its kept connections end, and no new ones come about: the second attempt of a GET goes to the other."""

    async def stops(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")
        await line.head()

    async with application(named(b"b")) as b, application(stops) as a, team(a.address, b.address) as several:
        assert await several.get() == b"a"
        assert await several.get() == b"b"
        a.stop_listening()
        for _ in range(10):
            assert await several.get() == b"b"
        assert several.set_aside == [True, False]


async def test_one_that_hangs_while_connecting_is_passed_over() -> None:
    async with (
        application(silent) as hanging,
        application(named(b"b")) as b,
        team(no_tls_at(hanging), b.address, connect_timeout=0.3) as several,
    ):
        while not several.set_aside[0]:
            assert await whole(await several.post()) == b"bhello"
        assert hanging.connections == 3
        for _ in range(5):
            assert await several.get() == b"b"
        assert hanging.connections == 3


async def test_one_that_never_answers_is_set_aside_and_nothing_is_sent_twice() -> None:
    executed: list[bytes] = []
    async with (
        application(silent) as hanging,
        application(named(b"b", executed)) as b,
        team(hanging.address, b.address, read_timeout=0.3) as several,
    ):
        for _ in range(3):
            with pytest.raises(UpstreamError) as error:
                await several.post()
            assert error.value.failure is UpstreamFailure.TIMEOUT
            assert await several.get() == b"b"
        assert several.set_aside == [True, False]
        assert [await several.get() for _ in range(3)] == [b"b"] * 3
        assert executed == [b"GET"] * 6 and hanging.connections == 3


@pytest.mark.parametrize("may_retry", [False, True])
async def test_what_was_sent_is_never_sent_elsewhere(may_retry: bool) -> None:
    executed: list[bytes] = []
    async with (
        application(answers_and_closes(b"")) as broken,
        application(named(b"b", executed)) as b,
        team(broken.address, b.address) as several,
    ):
        for _ in range(3):
            with pytest.raises(UpstreamError) as error:
                await several.post(may_retry=may_retry)
            assert error.value.failure is UpstreamFailure.BROKEN and executed == []
            assert await several.get() == b"b"
            executed.clear()
        assert several.set_aside == [True, False]
        assert await whole(await several.post()) == b"bhello"


@pytest.mark.usefixtures("at_once")
async def test_one_that_comes_back_takes_its_turn_again() -> None:
    gone = nobody()
    async with application(named(b"b")) as b, team(gone, b.address) as several:
        for _ in range(10):
            assert await several.get() == b"b"
        assert several.set_aside == [True, False]
        async with application(named(b"a"), port=gone.port):
            assert await several.get() == b"a"
            assert several.set_aside == [False, False]
            assert {await several.get(), await several.get()} == {b"a", b"b"}
            assert [("set aside" in line, "is back" in line) for line in several.lines] == [
                (True, False),
                (False, True),
            ]


@pytest.mark.usefixtures("at_once")
async def test_one_request_at_a_time_tries_one_that_was_set_aside() -> None:
    well = False

    async def script(line: Line) -> None:
        while await line.head():
            if not well:
                return
            await go_on.wait()
            await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")

    go_on = asyncio.Event()
    async with application(script) as a, application(named(b"b")) as b, team(a.address, b.address) as several:
        while not several.set_aside[0]:
            with pytest.raises(UpstreamError):
                await several.get()
            assert several.set_aside[0] or await several.get() == b"b"
        well = True
        trying = asyncio.create_task(several.get())
        await until(lambda: a.connections == 4)
        assert [await several.get() for _ in range(5)] == [b"b"] * 5
        go_on.set()
        assert await trying == b"a"
        assert {await several.get(), await several.get()} == {b"a", b"b"}


async def test_where_all_are_set_aside_they_are_tried_all_the_same() -> None:
    first, second = nobody(), nobody()
    async with team(first, second) as several:
        for _ in range(5):
            with pytest.raises(UpstreamError) as error:
                await several.get()
            assert error.value.failure is UpstreamFailure.UNREACHABLE
        assert several.set_aside == [True, True]
        async with application(named(b"b"), port=second.port):
            assert [await several.get() for _ in range(3)] == [b"b"] * 3
            assert several.set_aside == [True, False]


async def test_who_would_wait_for_a_connection_goes_where_there_is_one() -> None:
    go_on = asyncio.Event()

    async def busy(line: Line) -> None:
        await line.head()
        await go_on.wait()
        await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")

    async with (
        application(busy) as a,
        application(named(b"b")) as b,
        team(a.address, b.address, max_connections=1) as several,
    ):
        waiting = asyncio.create_task(several.get())
        await until(lambda: a.connections == 1)
        assert [await several.get() for _ in range(4)] == [b"b"] * 4
        go_on.set()
        assert await waiting == b"a"


# The short way


class Heard:
    """The port `Receiver`."""

    def __init__(self) -> None:
        self.body = b""
        self.complete = asyncio.Event()

    def answered(self, status: int, headers: Headers, length: int | None, piece: bytes, complete: bool) -> None:
        self.arrived(piece, complete)

    def arrived(self, piece: bytes, complete: bool) -> None:
        self.body += piece
        if complete:
            self.complete.set()

    def failed(self, error: UpstreamError, untouched: bool) -> None:
        raise error


async def at_once_by(several: Team) -> bytes | None:
    """Who answered on the short way; None where it was not to be had."""
    heard = Heard()
    if several.rota.send_at_once(b"GET", b"/", header_lines(HOST), heard, may_retry=True) is None:
        return None
    await asyncio.wait_for(heard.complete.wait(), 10)
    return heard.body


async def test_the_short_way_goes_round_once_every_place_has_a_connection() -> None:
    async with application(named(b"a")) as a, application(named(b"b")) as b, team(a.address, b.address) as several:
        assert await at_once_by(several) is None
        assert await several.get() == b"a"
        assert await at_once_by(several) is None, "the next is for the other, which has no connection yet"
        assert await several.get() == b"b"
        assert [await at_once_by(several) for _ in range(4)] == [b"a", b"b"] * 2
        assert (a.connections, b.connections) == (1, 1)


async def test_the_short_way_takes_the_idle_connection_there_is() -> None:
    asked = asyncio.Event()

    async def busy(line: Line) -> None:
        await line.head()
        asked.set()
        await line.closed_by_gateway()

    async with application(busy) as a, application(named(b"b")) as b, team(a.address, b.address) as several:
        waiting = asyncio.create_task(several.get())
        await asked.wait()
        assert await several.get() == b"b"
        assert [await at_once_by(several) for _ in range(3)] == [b"b"] * 3
        waiting.cancel()


async def test_the_short_way_spares_who_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = nobody()
    async with application(named(b"b")) as b, team(gone, b.address) as several:
        while not several.set_aside[0]:
            assert await several.get() == b"b"
        assert [await at_once_by(several) for _ in range(3)] == [b"b"] * 3


@pytest.mark.usefixtures("at_once")
async def test_the_short_way_leaves_a_request_to_try_who_was_set_aside() -> None:
    """Else nobody would notice that it is back, as long as the others have connections at hand."""
    gone = nobody()
    async with application(named(b"b")) as b, team(gone, b.address) as several:
        while not several.set_aside[0]:
            assert await several.get() == b"b"
        async with application(named(b"a"), port=gone.port):
            assert await at_once_by(several) is None
            assert await several.get() == b"a"
            assert {await at_once_by(several), await at_once_by(several)} == {b"a", b"b"}


# WebSockets


def shaking_hands(name: bytes) -> Script:
    return handshake([], silent, b"x-name: " + name + b"\r\n")


async def socket_to(several: Team) -> bytes:
    peer = await several.rota.connect(b"/socket", HOST, [])
    return dict(peer.headers)[b"x-name"]


async def test_websockets_go_round_and_past_who_is_not_there() -> None:
    async with (
        application(silent) as hanging,
        application(shaking_hands(b"a")) as a,
        application(shaking_hands(b"b")) as b,
        team(a.address, nobody(), no_tls_at(hanging), b.address, connect_timeout=0.8) as several,
    ):
        assert [await socket_to(several) for _ in range(8)] == [b"a", b"b"] * 4
        assert several.set_aside == [False, True, True, False]
        assert hanging.connections == 3


async def test_a_websocket_that_was_refused_is_refused() -> None:
    async with (
        application(answers_and_closes(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")) as a,
        application(shaking_hands(b"b")) as b,
        team(a.address, b.address) as several,
    ):
        for _ in range(5):
            with pytest.raises(WebSocketRefused):
                await socket_to(several)
            assert await socket_to(several) == b"b"
        assert several.set_aside == [False, False]


async def test_a_handshake_that_is_cut_short_is_not_sent_elsewhere() -> None:
    async with (
        application(answers_and_closes(b"")) as a,
        application(shaking_hands(b"b")) as b,
        team(a.address, b.address) as several,
    ):
        with pytest.raises(UpstreamError) as error:
            await socket_to(several)
        assert error.value.failure is UpstreamFailure.BROKEN and b.connections == 0


async def test_one_that_breaks_off_on_the_short_way_is_set_aside() -> None:
    """A request that must not be sent again breaks off on each of three connections that have answered before."""
    together = asyncio.Barrier(3)

    async def answers_once(line: Line) -> None:
        await line.head()
        await together.wait()
        await line.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb")
        await line.head()

    async with application(named(b"a")) as a, application(answers_once) as b, team(a.address, b.address) as several:
        await asyncio.gather(*(several.get() for _ in range(6)))
        failures: list[UpstreamError] = []
        async with asyncio.timeout(10):
            while len(failures) < 3:
                heard = Failing()
                if several.rota.send_at_once(b"GET", b"/", header_lines(HOST), heard, may_retry=False) is not None:
                    await heard.ended.wait()
                failures += heard.failures
        assert several.set_aside == [False, True]
        assert any("is set aside after 3 failures in a row" in line for line in several.lines)


class Failing(Heard):
    """Takes failures as answers."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[UpstreamError] = []
        self.ended = self.complete

    def failed(self, error: UpstreamError, may_retry: bool) -> None:
        self.failures.append(error)
        self.ended.set()
