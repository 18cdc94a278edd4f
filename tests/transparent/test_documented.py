"""The rig's list of what the gateway changes is the page's, and what the page says is refused or passes is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.page import ROOT, codes, read, rows, sections
from tests.docs.test_http import header_names

from . import documented
from .client import Client
from .exact import ExactApplication
from .message import Question, Seen, Told
from .rig import beside_the_loop, everything, gateway

_PAGE = sections(read("http.md"))
_OTHER_METHODS = ("TRACK", "PRI", "UPDATE", "LABEL", "FROBNICATE", "get")


def changes() -> list[str]:
    """The points of the page's list, each on one line."""
    listed = _PAGE["What the gateway changes"].partition("WebSockets:")[0]
    return [" ".join(point.split()) for point in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]]


def lower(names: frozenset[bytes]) -> set[str]:
    return {name.decode() for name in names}


def test_every_change_on_the_page_is_known_to_the_rig_or_tested_elsewhere() -> None:
    unknown = [point for point in changes() if not any(map(point.startswith, documented.LISTED))]
    assert not unknown
    assert len(changes()) == len(documented.LISTED)
    for where in documented.LISTED.values():
        assert hasattr(documented, where) or (ROOT / where).is_file(), where


def test_the_headers_of_the_page_are_those_of_the_rig() -> None:
    always, ours, paths, forwarding = [header_names(row[0]) for row in rows(_PAGE["What is removed from requests"])][:4]
    assert always == lower(documented.HOP_BY_HOP)
    assert ours == lower(documented.OURS)
    assert paths == lower(documented.PATH_OVERRIDES)
    assert forwarding == lower(documented.FORWARDING)
    listed = header_names(" ".join(changes()))
    assert lower(documented.ONLY_IN_ANSWERS | documented.FOR_SHARED_CACHES | documented.SHARED) <= listed


def methods() -> list[str]:
    """Those that pass, by the page."""
    (sentence,) = re.findall(r"^These methods pass: (.*?)\.$", _PAGE["What is refused"], re.MULTILINE | re.DOTALL)
    return codes(sentence)


def refused() -> Iterator[tuple[str, bytes, int]]:
    """A method, a target, and the status that the page gives them."""
    statuses = {int(row[0]): row[1] for row in rows(_PAGE["What is refused"])}
    assert "a target with a byte that is not printable ASCII; a method that is none of those below" in statuses[400]
    yield from (("GET", b"/a" + bytes([byte]) + b"b", 400) for byte in (0x7F, 0x80, 0xC3, 0xFF))
    yield from ((method, b"/", 400) for method in _OTHER_METHODS)
    yield from ((method, b"/", 405) for method in codes(statuses[405]))


@pytest.mark.hostile
async def test_methods_and_targets_pass_or_are_refused_as_the_page_says(tmp_path: Path) -> None:
    async with (
        ExactApplication.running() as application,
        beside_the_loop(gateway("gateway", application.port, tmp_path, everything("open"))) as running,
    ):
        application.told[b"1"] = Told(200, body=b"ok")

        async def ask(method: str, target: bytes) -> Seen:
            headers = ((b"Host", b"app.example"), (b"X-User-Id", b"somebody"), (b"X-Exchange", b"1"))
            client = Client(running.port)
            try:
                return await client.ask(Question(method.encode(), target, headers))
            finally:
                client.close()

        for method in methods():
            assert (await ask(method, b"/")).status == 200, method
            assert application.seen[b"1"].pop().start == (method.encode(), b"/", b"HTTP/1.1")
        every_byte = (
            b"/" + bytes(set(range(0x21, 0x7F)) - set(b"?#")) + b"?" + bytes(set(range(0x21, 0x7F)) - set(b"#"))
        )
        assert (await ask("GET", every_byte)).status == 200
        assert application.seen[b"1"].pop().start[1] == every_byte
        for method, target, status in refused():
            answer = await ask(method, target)
            assert (answer.status, bool(answer.values(b"paywall-reason"))) == (status, True), (method, target)
        assert not application.seen[b"1"], "what is refused does not reach the application"
