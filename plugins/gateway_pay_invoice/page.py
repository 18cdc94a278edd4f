"""What the page says: whom to pay, how much, and which number to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

TITLE = "Pay by bank transfer"
BUYER_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page is made of; all as text."""

    facts: Sequence[tuple[str, str]]
    title: str
    is_paid: bool
    is_sent: bool
    has_pdf: bool
    code: str
    """The code for banking apps as a `data:` address; empty for none."""
    document: str
    """Where the PDF is asked for."""
    success: str
    cancel: str


def how_page(shown: Shown) -> str:
    """The page: HTML."""
    body = _paid(shown) if shown.is_paid else _to_pay(shown)
    return f"<h1>{TITLE}</h1>\n{body}\n{_document(shown) if shown.has_pdf else ''}"


def _to_pay(shown: Shown) -> str:
    told = [*shown.facts, ("For", shown.title)]
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd><bdi>{escape(value)}</bdi></dd></div>" for name, value in told)
    if shown.is_sent:
        lead = "Thank you: you have told us that you sent it. Nothing more is to do. It opens once it has arrived."
    else:
        lead = (
            "Send this amount to this account, with the payment number as the purpose. It is looked for by a person, "
            "and opens once it has arrived: as a rule within two working days."
        )
    code = ""
    if shown.code:
        code = (
            f'<figure><img src="{escape(shown.code)}" width="180" height="180" '
            'alt="QR code with the account, the amount and the payment number">'
            "<figcaption>For your banking app</figcaption></figure>"
        )
    return f"""<p class="lead">{lead}</p>
<div class="card"><dl class="facts">{facts}</dl>
{code}</div>
<form method="post" class="stack">
<button name="choice" value="sent" class="primary">I have sent it</button>
</form>
<p class="hint">You can also send it later: this page stays as it is.
<a href="{escape(shown.cancel)}">Back to the offer</a></p>"""


def _paid(shown: Shown) -> str:
    return f"""<p class="lead">It is paid: thank you. There is nothing more to send.</p>
<p><a class="button primary" href="{escape(shown.success)}">See what it opened</a></p>"""


def _document(shown: Shown) -> str:
    name = "receipt" if shown.is_paid else "payment request"
    return f"""<form method="post" action="{escape(shown.document)}" class="card stack">
<h2>{name.capitalize()} as PDF</h2>
<label for="buyer">Made out to <span class="hint">(name and address; written into the PDF alone, and not
kept)</span></label>
<textarea id="buyer" name="buyer" rows="4" maxlength="{BUYER_LIMIT}" autocomplete="street-address"></textarea>
<button>Download the {name}</button>
</form>"""
