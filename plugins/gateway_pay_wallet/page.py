"""The wallet's page: what it costs, what is in the wallet, and what is left of it."""

from __future__ import annotations

from html import escape

from gateway.core.money import Money
from gateway.ports.order import Order
from gateway.ports.payment import ProviderAnswer
from gateway_pay_wallet.words import WORDS


class Page:
    """The page of one order, in the language of whoever pays."""

    def __init__(self, order: Order) -> None:
        self._order, self._tag = order, WORDS.speaks(order.locale)

    def pay(self, status: int, balance: Money) -> ProviderAnswer:
        """Before paying; without a button where the wallet has too little."""
        order = self._order
        left = Money(balance.minor - order.amount.minor, balance.currency)
        facts = [("Price", str(order.amount)), ("In your wallet", str(balance))]
        if left.minor < 0:
            sentence = "Your wallet has %(missing)s too little for this. Nothing was taken."
            notice = self._say(sentence, missing=Money(-left.minor, left.currency))
            return self._page(status, notice, facts, self._link(order.cancel, "Choose another way to pay"))
        body = f"""<form method="post" class="stack">
<button name="choice" value="pay" class="primary">{escape(self._say("Pay %(price)s", price=order.amount))}</button>
</form>
<p class="hint"><a href="{escape(order.cancel)}">{escape(self._say("Back to the offer"))}</a></p>"""
        return self._page(status, "", [*facts, ("Left after it", str(left))], body)

    def paid(self) -> ProviderAnswer:
        """There is nothing more to pay."""
        link = self._link(self._order.success, "See what it opened")
        return self._page(200, self._say("It is paid."), [("Price", str(self._order.amount))], link)

    def refused(self, status: int, why: str) -> ProviderAnswer:
        """It can't be paid: why, and the way back."""
        link = self._link(self._order.cancel, "Back to the offer")
        return self._page(status, self._say(why), [("Price", str(self._order.amount))], link)

    def _say(self, sentence: str, **values: object) -> str:
        return WORDS.say(self._tag, sentence, **values)

    def _link(self, address: str, sentence: str) -> str:
        return f'<p><a class="button primary" href="{escape(address)}">{escape(self._say(sentence))}</a></p>'

    def _page(self, status: int, notice: str, facts: list[tuple[str, str]], body: str) -> ProviderAnswer:
        title = self._say("Pay out of your wallet")
        said = f'<p class="notice" role="status">{escape(notice)}</p>\n' if notice else ""
        told = [("For", self._order.title), *facts]
        shown = "".join(
            f"<div><dt>{escape(self._say(name))}</dt><dd><bdi>{escape(value)}</bdi></dd></div>" for name, value in told
        )
        content = f'<h1>{escape(title)}</h1>\n{said}<dl class="facts card">{shown}</dl>\n{body}'
        return ProviderAnswer.page(status, title, content, self._tag)
