"""Bytes as text, as far as they are text."""

from __future__ import annotations

import codecs
import re
import unicodedata

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Some of Python's other codecs (idna, punycode, unicode_escape) take quadratic time or are no charsets at all.
_CHARSETS = re.compile(
    r"ascii|utf-(8|16|32)(-[lb]e)?|iso8859-\d+|cp(125\d|437|85\d|866|874|932|949|950)|koi8-[rut]|mac-[a-z]+"
    r"|shift_jis|euc_(jp|kr)|gb2312|gbk|gb18030|big5|iso2022_jp"
)
_MOST_DAMAGE = 0.02
_LINE_BREAKS = "\t\n\r\f\v\x85\u2028\u2029"


def decode(body: bytes, charset: str, complete: bool) -> str | None:
    """The text; None when these bytes are none. A character cut off at the end of a sample is left out."""
    decoder = codecs.getincrementaldecoder(_codec(body, charset, complete))(errors="replace")
    try:
        text = decoder.decode(body, final=complete)
    except UnicodeError:  # said to be UTF-16, and without a byte order mark
        return None
    damaged = sum(_is_damage(character) for character in text[:20_000])
    return None if damaged > _MOST_DAMAGE * min(len(text), 20_000) else text


def _codec(body: bytes, charset: str, complete: bool) -> str:
    for mark, codec in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return codec
    try:
        codec = codecs.lookup(charset).name
        if _CHARSETS.fullmatch(codec):
            return codec
    except (LookupError, ValueError):
        pass
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body, final=complete)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _is_damage(character: str) -> bool:
    return character == "\ufffd" or (unicodedata.category(character) == "Cc" and character not in _LINE_BREAKS)
