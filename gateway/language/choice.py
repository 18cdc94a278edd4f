"""Which language somebody is spoken to in: by the page's address, else by what the browser asks for.

RFC 9110 section 12.5.4 (`Accept-Language`), RFC 4647 section 3.4 (lookup).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs

from gateway.core.header import Headers, first
from gateway.language.language import Language, language

PARAMETER = "lang"
"""Of the addresses of our own pages."""
_HEADER = b"accept-language"
_BY_ADDRESS = "-x-address"
"""How a language that an address names is written into the head of its request: a tag for private use (RFC 5646 section
2.2.7). A client that sends one itself only gets links that keep the language."""
_LENGTH_LIMIT, _RANGES_LIMIT = 1000, 32
"""More than that is no list of languages that somebody reads."""
_FORMER = {"in": "id"}
"""Codes that have been replaced, and are still sent (RFC 5646 section 3.1.7)."""


class Languages:
    """The languages of one config."""

    def __init__(self, tags: Sequence[str]) -> None:
        """The first of them is for whoever asks for none."""
        self.all = tuple(language(tag) for tag in tags)
        self._by_tag = {each.tag: each for each in self.all}
        self.vary = "Accept-Language" if len(self.all) > 1 else ""
        """The request header that decides; empty where nothing is to be decided."""

    def of(self, headers: Headers) -> Language:
        """The language that fits these headers best."""
        for wanted in _ranges(first(headers, _HEADER)):
            found = self._look_up(wanted)
            if found is not None:
                return found.chosen() if wanted.endswith(_BY_ADDRESS) else found
        return self.all[0]

    def named_by(self, query: bytes, headers: Headers) -> Headers:
        """The headers of a request to a page of ours, as if the browser had asked for what the page's address says."""
        if b"lang=" not in query:
            return headers
        tag = parse_qs(query.decode("latin-1")).get(PARAMETER, [""])[0].lower()
        if tag not in self._by_tag:
            return headers
        kept = [pair for pair in headers if pair[0] != _HEADER]
        return [*kept, (_HEADER, f"{tag}{_BY_ADDRESS}".encode("ascii"))]

    def _look_up(self, wanted: str) -> Language | None:
        """The language of a range: what is left of it, subtag by subtag, until one is there."""
        subtags = wanted.split("-")
        subtags[0] = _FORMER.get(subtags[0], subtags[0])
        while subtags:
            found = self._by_tag.get("-".join(subtags))
            if found is not None:
                return found
            subtags.pop()
        return None


def _ranges(accepted: bytes) -> Iterator[str]:
    """The language ranges, in lower case, the most wanted first; without the wildcard and what is refused."""
    weighed = []
    for part in accepted[:_LENGTH_LIMIT].decode("latin-1").lower().split(",")[:_RANGES_LIMIT]:
        wanted, _, parameter = part.partition(";")
        quality = _quality(parameter)
        if quality > 0 and wanted.strip() not in ("", "*"):
            weighed.append((quality, wanted.strip()))
    weighed.sort(key=lambda each: -each[0])
    return (wanted for _, wanted in weighed)


def _quality(parameter: str) -> float:
    """The weight (RFC 9110 section 12.4.2): 1 where there is none, 0 where it can't be read."""
    name, _, value = parameter.partition("=")
    if not parameter.strip():
        return 1.0
    try:
        quality = float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
