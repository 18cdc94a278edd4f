"""The overlay's script in one file, made of its modules: as an ES module, and as a classic script that starts itself.

No tool is needed for it. The modules are written so that joining them is enough: every name at their top is there once
in all of them, each import is a statement of its own, and a comment has lines of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_MODULES = ("gateway", "style", "dialog", "desk", "fetch", "xhr", "overlay")
"""Each after those that it imports."""
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export \{[^}]*\};\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function|async)", re.MULTILINE)
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \n]+", re.MULTILINE)
_STYLE = re.compile(r"(?<=const STYLE = )`[^`]*`")
_AIR = re.compile(r"\s*([{};:,])\s*")
"""White space that no style sheet of ours needs."""


@dataclass(frozen=True, slots=True)
class Script:
    """A file for browsers."""

    media_type: str
    plain: bytes
    zipped: bytes
    """The same in gzip."""
    version: str
    """Changes with the content."""


def _made(text: str, media_type: str = "text/javascript; charset=utf-8") -> Script:
    plain = text.encode()
    return Script(media_type, plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])


def source(name: str) -> str:
    """One of the files as it is written."""
    return files("gateway.web.overlay").joinpath(name).read_text("utf-8")


def joined() -> str:
    """All modules as one, without imports and exports."""
    text = "".join(source(f"{name}.mjs") for name in _MODULES)
    for pattern in (_IMPORT, _EXPORT_LIST, _EXPORT, _COMMENT, _INDENT):
        text = pattern.sub("", text)
    return _STYLE.sub(lambda sheet: _AIR.sub(r"\1", sheet[0]), text)


@cache
def scripts() -> dict[str, Script]:
    """The files by their names below the prefix."""
    text = joined()
    return {
        "overlay.js": _made(f'(() => {{\n"use strict";\n{text}start();\n}})();\n'),
        "overlay.mjs": _made(f"{text}export {{ start, stop }};\n"),
        "overlay.d.mts": _made(source("overlay.d.mts"), "text/plain; charset=utf-8"),
    }
