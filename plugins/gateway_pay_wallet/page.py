"""The wallet's page: what it costs, what is in the wallet, and what is left of it."""

from __future__ import annotations

from html import escape

from gateway.core.money import Money
from gateway.ports.order import Order

TITLE = "Pay out of your wallet"


def pay_page(order: Order, balance: Money, notice: str = "") -> str:
    """The page before paying; without a button where the wallet has too little. HTML."""
    left = Money(balance.minor - order.amount.minor, balance.currency)
    facts = [("For", order.title), ("Price", str(order.amount)), ("In your wallet", str(balance))]
    if left.minor >= 0:
        body = f"""<form method="post" class="stack">
<button name="choice" value="pay" class="primary">Pay {escape(str(order.amount))}</button>
</form>
<p class="hint"><a href="{escape(order.cancel)}">Back to the offer</a></p>"""
        facts.append(("Left after it", str(left)))
    else:
        missing = Money(-left.minor, left.currency)
        notice = notice or f"Your wallet has {missing} too little for this. Nothing was taken."
        body = f'<p><a class="button primary" href="{escape(order.cancel)}">Choose another way to pay</a></p>'
    return f"<h1>{TITLE}</h1>\n{_notice(notice)}{_facts(facts)}\n{body}"


def told_page(order: Order, notice: str, address: str, text: str) -> str:
    """There is nothing to pay here (any more): why, and where to go on. HTML."""
    link = f'<p><a class="button primary" href="{escape(address)}">{escape(text)}</a></p>'
    facts = [("For", order.title), ("Price", str(order.amount))]
    return f"<h1>{TITLE}</h1>\n{_notice(notice)}{_facts(facts)}\n{link}"


def _notice(notice: str) -> str:
    return f'<p class="notice" role="status">{escape(notice)}</p>\n' if notice else ""


def _facts(facts: list[tuple[str, str]]) -> str:
    shown = "".join(f"<div><dt>{name}</dt><dd><bdi>{escape(value)}</bdi></dd></div>" for name, value in facts)
    return f'<dl class="facts card">{shown}</dl>'
