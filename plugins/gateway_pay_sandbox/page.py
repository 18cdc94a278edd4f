"""The sandbox's page: what can be tried with this order now."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from gateway.ports.cashbook import CheckoutStatus
from gateway.ports.order import Order
from gateway.ports.payment import KnownCheckout

TITLE = "Sandbox checkout"

Button = tuple[str, str]
"""What a button sends, and what it says."""

_OTHERWISE: tuple[Button, ...] = (
    ("refuse", "Play a refused card"),
    ("later", "Let the bank take two days"),
    ("other", "Pay another amount"),
    ("cancel", "Turn back"),
)
_DECIDE: tuple[Button, ...] = (("pay", "The bank confirms it"), ("fail", "The bank refuses it"))
_BACK: tuple[Button, ...] = (("refund", "Give the money back"),)
_RENEWING: tuple[Button, ...] = (
    ("renew", "Let it renew"),
    ("renewal-fails", "Let a renewal fail"),
    ("unsubscribe", "Let it end with what is paid"),
    ("end", "End it now"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page is made of."""

    order: Order
    known: KnownCheckout | None
    press: str
    """Tells a button that is pressed again from one that is pressed twice."""
    notice: str = ""

    @property
    def is_paid(self) -> bool:
        """Whether the gateway has a payment for it."""
        return self.known is not None and self.known.status in (CheckoutStatus.PAID, CheckoutStatus.SURPLUS)


def checkout_page(shown: Shown) -> str:
    """The page of an order: HTML."""
    order = shown.order
    amount = escape(str(order.amount))
    notice = f'<p class="notice" role="status">{escape(shown.notice)}</p>' if shown.notice else ""
    facts = f"<div><dt>For</dt><dd><bdi>{escape(order.title)}</bdi></dd></div>"
    facts += f"<div><dt>Amount</dt><dd>{amount}</dd></div>"
    if order.renews:
        every = f"{order.renews.count} {order.renews.unit.value}{'s' if order.renews.count > 1 else ''}"
        facts += f"<div><dt>Renews every</dt><dd>{every}</dd></div>"
    return f"""<h1>Sandbox checkout</h1>
<p class="lead">This page plays a payment provider. No money moves.</p>
{notice}
<dl class="facts card">{facts}</dl>
{_paid(shown) if shown.is_paid else _unpaid(shown, amount)}"""


def waiting_page(shown: Shown) -> str:
    """The payment is on its way: where the person goes on, and how the bank decides."""
    return f"""<h1>The bank takes two days</h1>
<p class="lead">The payment is on its way, and no money moves. Keep this page: it decides how it ends.</p>
<p><a class="button primary" href="{escape(shown.order.success)}">Go on, as whoever pays would</a></p>
{_form(shown, _DECIDE, "Two days later")}"""


def _unpaid(shown: Shown, amount: str) -> str:
    return f"""<form method="post" class="stack">
<button name="choice" value="pay" class="primary">Pay {amount}</button>
{_buttons(_OTHERWISE)}
</form>
{_form(shown, (_DECIDE[1],), "If it waits for the bank")}"""


def _paid(shown: Shown) -> str:
    renewing = _form(shown, _RENEWING, "What becomes of the subscription") if shown.order.renews else ""
    return f"""<p class="notice">It is paid.</p>
<p><a class="button primary" href="{escape(shown.order.success)}">Go on, as whoever has paid would</a></p>
{renewing}{_form(shown, _BACK, "Play a refund")}"""


def _form(shown: Shown, buttons: tuple[Button, ...], title: str) -> str:
    return f"""<h2>{title}</h2>
<form method="post" class="stack card">
<input type="hidden" name="press" value="{escape(shown.press)}">
{_buttons(buttons)}
</form>"""


def _buttons(buttons: tuple[Button, ...]) -> str:
    return "\n".join(f'<button name="choice" value="{value}">{text}</button>' for value, text in buttons)
