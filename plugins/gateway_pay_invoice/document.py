"""The payment request, and the receipt, as PDF. Loads fpdf2: it is imported late, and made in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

OWN_FONT = Path(__file__).with_name("DejaVuSans.ttf")

_WIDTH, _NAMES = 170, 58
_QR_MM = 34


@dataclass(frozen=True, slots=True)
class Document:
    """All that stands on it, as text."""

    title: str
    payee: tuple[str, ...]
    buyer: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    item: str
    amount: str
    how: tuple[tuple[str, str], ...]
    """How to pay; empty on a receipt."""
    footer: tuple[str, ...]
    modules: tuple[tuple[bool, ...], ...]
    """The dark squares of the code for banking apps; empty for none."""
    made: int
    total: str
    how_title: str
    code_title: str


def draw(document: Document, font: Path) -> bytes:
    """The PDF. Raises `OSError` and fpdf2's errors where the font is none."""
    pdf = FPDF(format="A4")
    pdf.set_margins(20, 20)
    pdf.set_creation_date(datetime.fromtimestamp(document.made / 1000, UTC))
    pdf.set_title(document.title)
    pdf.add_font("text", fname=font)
    pdf.add_page()
    pdf.set_font("text", size=10)
    pdf.set_text_shaping(True)
    _lines(pdf, document.payee)
    pdf.ln(12)
    _lines(pdf, document.buyer)
    pdf.ln(10)
    _sized(pdf, 20, document.title)
    pdf.ln(4)
    _facts(pdf, document.facts)
    pdf.ln(6)
    _item(pdf, document)
    if document.how:
        pdf.ln(8)
        _sized(pdf, 13, document.how_title)
        pdf.ln(1)
        _facts(pdf, document.how)
    if document.modules:
        _code(pdf, document)
    pdf.ln(8)
    _lines(pdf, document.footer, size=8)
    return bytes(pdf.output())


def _lines(pdf: FPDF, lines: Sequence[str], size: int = 10) -> None:
    for line in lines:
        _sized(pdf, size, line)


def _sized(pdf: FPDF, size: int, text: str) -> None:
    pdf.set_font(size=size)
    pdf.multi_cell(_WIDTH, size * 0.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font(size=10)


def _facts(pdf: FPDF, facts: Sequence[tuple[str, str]]) -> None:
    for name, value in facts:
        pdf.cell(_NAMES, 6, name)
        pdf.multi_cell(_WIDTH - _NAMES, 6, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _item(pdf: FPDF, document: Document) -> None:
    pdf.line(20, pdf.get_y(), 20 + _WIDTH, pdf.get_y())
    pdf.ln(2)
    top = pdf.get_y()
    pdf.multi_cell(_WIDTH - 45, 6, document.item, align="L", new_x=XPos.RIGHT, new_y=YPos.NEXT)
    bottom = pdf.get_y()
    pdf.set_xy(20 + _WIDTH - 45, top)
    pdf.cell(45, 6, document.amount, align="R")
    pdf.set_xy(20, bottom + 2)
    pdf.line(20, pdf.get_y(), 20 + _WIDTH, pdf.get_y())
    pdf.ln(2)
    pdf.set_font(size=12)
    pdf.cell(_WIDTH - 60, 7, document.total)
    pdf.cell(60, 7, document.amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font(size=10)


def _code(pdf: FPDF, document: Document) -> None:
    pdf.ln(4)
    if pdf.will_page_break(_QR_MM + 8):
        pdf.add_page()
    size, top = _QR_MM / len(document.modules), pdf.get_y()
    for row, line in enumerate(document.modules):
        for column, dark in enumerate(line):
            if dark:
                pdf.rect(20 + column * size, top + row * size, size, size, style="F")
    pdf.set_xy(20, top + _QR_MM + 1)
    _sized(pdf, 8, document.code_title)
