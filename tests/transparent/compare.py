"""Where two messages differ, in words."""

from __future__ import annotations

from collections import Counter

from .documented import directives, length
from .message import Framing, Header, Seen

_SHOWN = 120
_FRAMING = (b"content-length", b"transfer-encoding")
_OF_THE_CONNECTION = (b"connection", b"keep-alive")


def differences(wanted: Seen, got: Seen, dates_differ: bool = False) -> list[str]:
    """What of `got` is not as `wanted`. `dates_differ`: both were made at their own time."""
    found = []
    for part, left, right in zip(("first", "second", "third"), wanted.start, got.start, strict=True):
        if left != right:
            found.append(f"{part} word of the first line: {_short(right)} instead of {_short(left)}")
    left_lines, right_lines = _lines(wanted, dates_differ), _lines(got, dates_differ)
    found += [f"header is missing: {_short(name)}: {_short(value)}" for name, value in left_lines - right_lines]
    found += [f"header is new: {_short(name)}: {_short(value)}" for name, value in right_lines - left_lines]
    found += _order(wanted, got)
    if wanted.framing is not got.framing:
        found.append(f"body is framed by {got.framing.value} instead of {wanted.framing.value}")
    elif wanted.framing is Framing.LENGTH and length(wanted) and length(wanted) != length(got):
        found.append(f"length is {length(got)} instead of {length(wanted)}")
    if wanted.body != got.body:
        found.append(_bodies(wanted.body, got.body))
    if got.trailers:
        found.append(f"trailers arrived: {got.trailers}")
    return found


def _lines(message: Seen, dates_differ: bool) -> Counter[Header]:
    lines: Counter[Header] = Counter()
    for name, value in message.headers:
        if name in _FRAMING or name in _OF_THE_CONNECTION or name == b"cache-control":
            continue
        lines[name, b"(any)" if dates_differ and name == b"date" else value] += 1
    for directive in directives(message.headers):
        lines[b"cache-control", directive] += 1
    return lines


def _order(wanted: Seen, got: Seen) -> list[str]:
    """Several headers of one name mean something by their order (RFC 9110 section 5.3)."""
    repeated = {name for name, count in Counter(name for name, _ in wanted.headers).items() if count > 1}
    return [
        f"the lines of {name.decode('latin-1')} have changed places"
        for name in repeated - {b"cache-control", b"date", b"vary"}
        if wanted.values(name) != got.values(name) and sorted(wanted.values(name)) == sorted(got.values(name))
    ]


def _bodies(wanted: bytes, got: bytes) -> str:
    place = next((i for i, (left, right) in enumerate(zip(wanted, got, strict=False)) if left != right), None)
    if place is None:
        return f"body has {len(got)} bytes instead of {len(wanted)}"
    start = max(0, place - 20)
    return f"body differs from byte {place} on: {_short(got[start:])} instead of {_short(wanted[start:])}"


def _short(data: bytes) -> str:
    text = data.decode("latin-1").encode("unicode_escape").decode("ascii")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(data)})"
