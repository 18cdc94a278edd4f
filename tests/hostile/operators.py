"""Small changes of a target that can be stacked: what one parser undoes, another passes on to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, permutations

from .message import TARGET

Operator = Callable[[bytes], bytes]

_EVERY_NTH_TRIPLE = 101
"""Of the 24,360 triples, enough to stay within minutes; a prime, so that no operator is always left out."""


def _replace(old: bytes, new: bytes) -> Operator:
    return lambda target: target.replace(old, new)


def _before(prefix: bytes) -> Operator:
    return lambda target: prefix + target


def _after(suffix: bytes) -> Operator:
    return lambda target: target + suffix


def _after_path(suffix: bytes) -> Operator:
    def operate(target: bytes) -> bytes:
        cut = min((target.find(mark) for mark in (b"?", b"#") if mark in target), default=len(target))
        return target[:cut] + suffix + target[cut:]

    return operate


OPERATORS: tuple[Operator, ...] = (
    bytes.upper,
    _replace(b"api", b"aPi"),
    _replace(b"/result", b"/Result"),
    _replace(b"api", b"%61pi"),
    _replace(b"result", b"r%65sult"),
    _replace(b"api", b"%2561pi"),
    _replace(b"result", b"re%C5%BFult"),
    _replace(b"api", b"%EF%BD%81pi"),
    _replace(b"/7", b"%2f7"),
    _replace(b"i/r", b"i%2Fr"),
    _replace(b"/r", b"//r"),
    _replace(b"/r", b"\\r"),
    _replace(b"/r", b"/./r"),
    _replace(b"/7", b"/x/../7"),
    _replace(b"/r", b";v=1/r"),
    _replace(b"/r", b"/%2e/r"),
    _before(b"/"),
    _before(b"/."),
    _before(b"/x/.."),
    _before(b"/x/%2e%2e"),
    _before(b"/docs%2f.."),
    _before(b"http://localhost"),
    _after_path(b"/"),
    _after_path(b".json"),
    _after_path(b"%20"),
    _after_path(b"%00"),
    _after_path(b";x"),
    _after_path(b"/."),
    _after(b"?x=1"),
    _after(b"#x"),
)
"""Each leaves most requests one that some application takes for the result's."""


def composed() -> Iterator[bytes]:
    """Two operators in either order, and an even sample of three."""
    for first, second in permutations(OPERATORS, 2):
        yield second(first(TARGET))
    for first, second, third in islice(permutations(OPERATORS, 3), 0, None, _EVERY_NTH_TRIPLE):
        yield third(second(first(TARGET)))
