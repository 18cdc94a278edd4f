"""Every sentence that the gateway says to people, as it stands in the sources, and what the catalogues make of it.

`python -m tests.language` brings the catalogues up to date: sentences that are new come in without a translation,
those that nobody says any more go.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from gateway.core.wording import LANGUAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "gateway/language/catalogues"
TRANSLATED = tuple(tag for tag in LANGUAGES if tag != "en")
ROOMS = ("gateway/language", "gateway/web")
KEYWORDS: Any = {
    "gettext": None, "ngettext": (1, 2),
    "say": None, "mark_up": None, "phrase": None, "phrases": (1, 2), "Sentence": None, "count": (1, 2),
    "in_context": ((1, "c"), 2),
    "BadMessage": (3,), "refuse": (3,),
}  # fmt: skip
"""Whatever takes a sentence, and where."""
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}


def said() -> Catalog:
    """All that is said, without translations."""
    catalog = Catalog(charset="utf-8")
    for room in ROOMS:
        for name, line, message, _, context in extract_from_dir(ROOT / room, METHODS, OPTIONS, KEYWORDS):
            catalog.add(message, locations=[(f"{room}/{name}", line)], context=context)
    return catalog


def translated(tag: str, text: bytes | None = None) -> Catalog:
    """The catalogue of a language, or this text of one."""
    source = (FOLDER / f"{tag}.po").read_bytes() if text is None else text
    return read_po(io.BytesIO(source), locale=tag, abort_invalid=True)


def written(catalog: Catalog) -> str:
    """A catalogue as its file has it: without line numbers and dates, which would change with every change."""
    target = io.BytesIO()
    write_po(target, catalog, width=120, no_location=True, omit_header=False, sort_output=False, ignore_obsolete=True)
    kept = [
        line
        for line in target.getvalue().decode("utf-8").splitlines()
        if not line.startswith(
            ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator', '"Language-Team')
        )
        and not line.startswith('"Project-Id')
        and not line.startswith('"Report-Msgid')
    ]
    return "\n".join(kept) + "\n"
