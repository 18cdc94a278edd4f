"""JSON of bounded size, as values."""

from __future__ import annotations

import json

PARSE_LIMIT = 2 * 1024 * 1024
"""Parsed values take up to thirty times the size of their text."""
_LINE_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq")


def is_line_by_line(media_type: str) -> bool:
    """Whether each line is a record of its own."""
    return media_type in _LINE_TYPES


def parse(body: bytes, media_type: str) -> object:
    """The value, for line-by-line types the list of all. Raises `ValueError` for anything that is not JSON."""
    try:
        if is_line_by_line(media_type):
            # A record separator begins each text of a JSON sequence (RFC 7464).
            lines = (line.strip(b"\x1e \t\r") for line in body.split(b"\n"))
            return [json.loads(line, parse_int=_number) for line in lines if line]
        return json.loads(body, parse_int=_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _number(digits: str) -> int | str:
    # A whole number of thousands of digits would raise; it is only ever shown cut short.
    return int(digits) if len(digits) <= 100 else digits
