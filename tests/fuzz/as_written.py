"""What was written, read by the plainest means: slow, strict, and with nothing of the gateway's own readers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n\0]*)?")


@dataclass(frozen=True)
class WrittenAnswer:
    """One answer, and the bytes behind it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    rest: bytes

    def values(self, name: bytes) -> list[bytes]:
        """All values of the header."""
        return [value for each, value in self.headers if each == name]


def written_answer(data: bytes, to_head: bool) -> WrittenAnswer | None:
    """The answer that RFC 9112 finds here; None where it finds none, an unfinished one, or one that has to be refused
    since others may find another."""
    head, end, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    begin, fields = _STATUS_LINE.fullmatch(first), [_FIELD.fullmatch(line) for line in lines]
    if not end or begin is None:
        return None
    headers = [(field[1].lower(), field[2]) for field in fields if field is not None]
    status, old = int(begin[2]), begin[1] == b"0"
    if len(headers) < len(lines) or status == 101:
        return None
    if 100 <= status < 200:
        return written_answer(rest.lstrip(b"\r\n"), to_head)  # an empty line between two heads has one reading
    answer = WrittenAnswer(status, headers, b"", rest)
    codings, lengths = answer.values(b"transfer-encoding"), answer.values(b"content-length")
    if codings and (lengths or old or [each.lower() for each in codings] != [b"chunked"]):
        return None
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        return None
    if to_head or status in (204, 304):
        return answer
    if codings:
        return _chunked(answer)
    if not lengths or len(rest) < int(lengths[0]):
        return None
    return WrittenAnswer(status, headers, rest[: int(lengths[0])], rest[int(lengths[0]) :])


def _chunked(answer: WrittenAnswer) -> WrittenAnswer | None:
    body, rest = b"", answer.rest
    while True:
        line, end, rest = rest.partition(b"\r\n")
        size = _CHUNK_SIZE.fullmatch(line)
        if not end or size is None:
            return None
        length = int(size[1], 16)
        if length == 0:
            break
        if rest[length : length + 2] != b"\r\n":
            return None
        body, rest = body + rest[:length], rest[length + 2 :]
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return None
        if not line:
            return WrittenAnswer(answer.status, answer.headers, body, rest)


def written_config(text: str) -> Any:
    """The values of a YAML file; None where a key has a tag, which says nothing. Raises where a key stands twice."""
    try:
        return _plain(YAML(typ="safe", pure=True).load(text))
    except ConstructorError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, date) else value
