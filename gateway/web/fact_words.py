"""What teasers say of a result, in the reader's language. Teasers are made before anybody reads them, in English.

A plugin of somebody else's may say what is not in here: then it stands as it is.
"""

from __future__ import annotations

import re

from gateway.language.catalogue import phrase
from gateway.language.language import Language

FACTS = (
    phrase("Columns"), phrase("Dimensions"), phrase("Fields"), phrase("Files"), phrase("Lines"), phrase("Pages"),
    phrase("Records"), phrase("Rows"),
)  # fmt: skip
"""The names of the facts that our own teasers tell."""

KINDS = (
    phrase("E-book"), phrase("Map data"), phrase("Compressed file"), phrase("JSON data"), phrase("Word document"),
    phrase("Excel spreadsheet"), phrase("PowerPoint presentation"), phrase("OpenDocument text"),
    phrase("OpenDocument spreadsheet"), phrase("OpenDocument presentation"), phrase("File"), phrase("PDF document"),
    phrase("PostScript document"), phrase("Rich text document"), phrase("SQL script"), phrase("Parquet table"),
    phrase("SQLite database"), phrase("7z archive"), phrase("JSON records"), phrase("Tar archive"), phrase("XML data"),
    phrase("Zip archive"), phrase("FLAC audio"), phrase("MP3 audio"), phrase("Ogg audio"), phrase("WAV audio"),
    phrase("Font"), phrase("GIF image"), phrase("JPEG image"), phrase("PNG image"), phrase("SVG drawing"),
    phrase("TIFF image"), phrase("WebP image"), phrase("3D model"), phrase("Calendar"), phrase("CSV table"),
    phrase("Web page"), phrase("Markdown text"), phrase("Text"), phrase("Tab-separated table"), phrase("Contact"),
    phrase("Subtitles"), phrase("MP4 video"), phrase("WebM video"), phrase("Audio"), phrase("Image"), phrase("Video"),
)  # fmt: skip
"""What our own teasers call a result, by its media type."""

LABELS = (
    phrase("card"), phrase("bank transfer"), phrase("cryptocurrency"), phrase("wallet"),
    phrase("card or PayPal"), phrase("card, SBP or YooMoney"), phrase("bank transfer, QRIS or card"),
    phrase("the sandbox (no money moves)"),
)  # fmt: skip
"""Ways to pay, as providers call themselves."""

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})*")
_NUMBERS = re.compile(rf"{_NUMBER.pattern}(?: × {_NUMBER.pattern})*")
_MORE_THAN = "more than "


def fact_name(name: str, language: Language) -> str:
    """`Rows`."""
    return language.say(name)


def fact_value(value: str, language: Language) -> str:
    """`336,776`, `more than 1,000`, `1,600 × 1,000`; anything else stands as it is."""
    if value.startswith(_MORE_THAN) and _NUMBERS.fullmatch(value.removeprefix(_MORE_THAN)):
        return language.say("more than %(number)s", number=fact_value(value.removeprefix(_MORE_THAN), language))
    if not _NUMBERS.fullmatch(value):
        return value
    return _NUMBER.sub(lambda found: language.number(int(found[0].replace(",", ""))), value)
