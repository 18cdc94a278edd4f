"""What the page says: whom to pay, how much, and which number to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gateway.ports.payment import ProviderAnswer
from gateway_pay_invoice.words import WORDS

BUYER_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page is made of; all as text."""

    tag: str
    """Its language."""
    facts: Sequence[tuple[str, str]]
    """Names in English, and values."""
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

    def say(self, sentence: str) -> str:
        """A sentence in this language, as HTML."""
        return escape(WORDS.say(self.tag, sentence))


def how_page(shown: Shown) -> ProviderAnswer:
    """The page."""
    title = WORDS.say(shown.tag, "Pay by bank transfer")
    body = _paid(shown) if shown.is_paid else _to_pay(shown)
    content = f"<h1>{escape(title)}</h1>\n{body}\n{_document(shown) if shown.has_pdf else ''}"
    return ProviderAnswer.page(200, title, content, shown.tag)


def _to_pay(shown: Shown) -> str:
    told = [*shown.facts, ("For", shown.title)]
    facts = "".join(f"<div><dt>{shown.say(name)}</dt><dd><bdi>{escape(value)}</bdi></dd></div>" for name, value in told)
    if shown.is_sent:
        lead = "Thank you: you have told us that you sent it. Nothing more is to do. It opens once it has arrived."
    else:
        lead = (
            "Send this amount to this account, with the payment number as the purpose. It is looked for by a person, "
            "and opens once it has arrived: as a rule within two working days."
        )
    return f"""<p class="lead">{shown.say(lead)}</p>
<div class="card"><dl class="facts">{facts}</dl>
{_code(shown) if shown.code else ""}</div>
<form method="post" class="stack">
<button name="choice" value="sent" class="primary">{shown.say("I have sent it")}</button>
</form>
<p class="hint">{shown.say("You can also send it later: this page stays as it is.")}
<a href="{escape(shown.cancel)}">{shown.say("Back to the offer")}</a></p>"""


def _code(shown: Shown) -> str:
    described = shown.say("QR code with the account, the amount and the payment number")
    return f"""<figure><img src="{escape(shown.code)}" width="180" height="180" alt="{described}">
<figcaption>{shown.say("For your banking app")}</figcaption></figure>"""


def _paid(shown: Shown) -> str:
    return f"""<p class="lead">{shown.say("It is paid: thank you. There is nothing more to send.")}</p>
<p><a class="button primary" href="{escape(shown.success)}">{shown.say("See what it opened")}</a></p>"""


def _document(shown: Shown) -> str:
    title = shown.say("Receipt as PDF" if shown.is_paid else "Payment request as PDF")
    button = shown.say("Download the receipt" if shown.is_paid else "Download the payment request")
    hint = shown.say("(name and address; written into the PDF alone, and not kept)")
    return f"""<form method="post" action="{escape(shown.document)}" class="card stack">
<h2>{title}</h2>
<label for="buyer">{shown.say("Made out to")} <span class="hint">{hint}</span></label>
<textarea id="buyer" name="buyer" rows="4" maxlength="{BUYER_LIMIT}" autocomplete="street-address"></textarea>
<button>{button}</button>
</form>"""
