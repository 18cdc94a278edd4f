"""A page on its way through, with a snippet put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.html.glimpse import Glimpse
from gateway.html.insertion import Insertion


@dataclass(frozen=True, slots=True)
class Snippet:
    """What is put in: ASCII, on one line, without `-->`, with every element closed."""

    styled: bytes
    """For pages that let a style sheet of ours in."""
    plain: bytes
    """For all others."""
    script: bytes = b""
    """For pages that let a script of ours in, behind the rest."""


class Page:
    """One page, given piece by piece as it is sent, without a content coding."""

    def __init__(self, snippet: Snippet, hosts: frozenset[bytes], styled: bool, scripted: bool = False) -> None:
        """`hosts` as in `Glimpse`; `styled` and `scripted`: as far as the head of the answer says, it lets a style
        sheet and a script in."""
        self._snippet, self._styled, self._scripted = snippet, styled, scripted
        self._glimpse, self._insertion = Glimpse(hosts), Insertion()

    def take(self, data: bytes) -> Iterator[bytes]:
        """More of the page; what of it can go on, in pieces of limited size."""
        self._glimpse.see(data)
        yield self._insertion.take(data)

    def end(self) -> Iterator[bytes]:
        """The page is complete: the rest of it."""
        yield self._insertion.end(self._chosen())

    def _chosen(self) -> bytes:
        if not self._glimpse.usable:
            return b""
        if self._glimpse.own_policy:
            return self._snippet.plain
        chosen = self._snippet.styled if self._styled else self._snippet.plain
        return chosen + self._snippet.script if self._scripted else chosen
