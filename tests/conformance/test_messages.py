"""The same bytes behind every server: nothing is smuggled, nothing cut passes for whole."""

from __future__ import annotations

import re
import uuid

import pytest

from tests.flow.service import read_head, wait_until

from .cases import CASES, DIFFERENCES, KEPT, SILENT, Fate
from .fronts import UVICORN, Front
from .upstream import RecordingUpstream

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


def mark() -> bytes:
    """A word of one test."""
    return uuid.uuid4().hex.encode()


@pytest.mark.parametrize("name", CASES)
def test_message(name: str, front: Front, upstream: RecordingUpstream) -> None:
    case, word = CASES[name], mark()
    fate, status = DIFFERENCES.get((name, front.kind), (case.fate, case.status))
    if (name, front.kind) in SILENT | KEPT:
        with front.connect() as client:
            client.sendall(case.payload.replace(b"MARK", word))
            received = b"" if (name, front.kind) in SILENT else read_head(client)[0]
    else:
        received = front.ask(case.payload.replace(b"MARK", word))
    assert not upstream.of(b"/hidden?" + word)
    if status and (received or (name, front.kind) not in SILENT):
        assert [int(found) for found in _STATUS.findall(received)] == [status]
    seen = upstream.of(word)
    if fate is Fate.PASSES:
        assert [one.whole for one in seen] == [True]
    elif fate is Fate.REFUSED:
        assert not seen
    else:
        assert not any(one.whole for one in seen)
        for one in seen:
            wait_until(one.left.is_set, "the connection to the application ends")


def test_headers_that_stay_behind(front: Front, upstream: RecordingUpstream) -> None:
    word = mark()
    lines = (
        b"host: a\r\nconnection: close, X-Secret\r\nx-secret: 1\r\nte: trailers\r\nx-original-url: /y\r\nx-kept: 1\r\n"
    )
    front.ask(b"GET /x?%b HTTP/1.1\r\n%b\r\n" % (word, lines))
    head = upstream.of(word)[0].head
    assert b"x-kept: 1" in head
    assert not any(name in head for name in (b"x-secret", b"\r\nte:", b"x-original-url"))


def test_trailers_become_headers_behind_plain_uvicorn_alone(front: Front, upstream: RecordingUpstream) -> None:
    word = mark()
    front.ask(CASES["trailers"].payload.replace(b"MARK", word))
    seen = upstream.of(word)[0]
    # uvicorn's own protocol adds them to the list that the application was given: see docs/operations.md.
    assert (b"x-user-id" in seen.head) == (front.kind == UVICORN)
    assert seen.body == b"a"
