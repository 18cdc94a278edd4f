"""Lua scripts out of the folder `verbs`, one file for each verb."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "verbs"
_INCLUDE = re.compile(r"^--@include (\w+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One verb as the server runs it."""

    name: str
    text: str
    sha: str
    """What the server knows the text by."""

    @classmethod
    def read(cls, name: str) -> Script:
        """The verb of this name. `--@include NAME` stands for the text of `parts/NAME.lua`."""
        text = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
        text = _INCLUDE.sub(lambda found: (_FOLDER / "parts" / f"{found[1]}.lua").read_text(encoding="utf-8"), text)
        # SHA-1 because that is how Redis names scripts; nothing rests on its strength.
        return cls(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
