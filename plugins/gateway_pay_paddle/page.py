"""The page that Paddle's checkout opens on ("Pass a transaction to a checkout", "Include and initialize Paddle.js").

Paddle's checkout lives in a page of the seller's, by a script of Paddle's. What the page is about stands in its
address, signed, so that nobody can send people a page of ours that leads elsewhere afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from gateway.ports.payment import CheckoutRequest, Headers, ProviderAnswer, ProviderRequest, WebhookRejected
from gateway_pay_paddle.settings import PaddleSettings
from gateway_pay_paddle.words import WORDS

_LOCALES = ("ar", "da", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "no", "pl", "pt", "ru", "sv", "zh-Hans")
_LOCALE_LIMIT = 40
_NO_SCRIPTS = "The checkout needs JavaScript. Nothing was charged."
_NOT_LOADED = "The checkout did not load. Nothing was charged. Reload this page, or allow scripts of paddle.com."
_SCRIPT = Path(__file__).with_name("pay.js")
_PADDLE = ("https://*.paddle.com", "https://*.profitwell.com")


class Pages:
    """The page, its script, and its addresses."""

    def __init__(self, settings: PaddleSettings, prefix: str, key: bytes) -> None:
        self._settings, self._prefix, self._key = settings, prefix, key
        self._origins = (settings.api_base,) if settings.api_base else _PADDLE
        self._paddle = f"{settings.api_base or 'https://cdn.paddle.com'}/paddle/v2/paddle.js"

    def address(self, transaction: str, request: CheckoutRequest) -> str:
        """Where a person pays this transaction: a path."""
        told = {"transaction": transaction, "done": request.success, "back": request.cancel}
        query = urlencode({**told, "locale": request.locale[:_LOCALE_LIMIT]})
        return f"{self._prefix}/provider/paddle/pay?{query}&tag={self._tag(query)}"

    def script(self) -> ProviderAnswer:
        """The page's own script."""
        headers: Headers = [(b"content-type", b"text/javascript; charset=utf-8"), (b"cache-control", b"max-age=300")]
        return ProviderAnswer(200, headers, _SCRIPT.read_bytes())

    def page(self, request: ProviderRequest) -> ProviderAnswer:
        """The page. Raises `WebhookRejected` for an address that was not made here."""
        query, _, tag = request.query.rpartition("&tag=")
        if hmac.compare_digest(tag.encode(), self._tag(query).encode()):
            told = {name: values[0] for name, values in parse_qs(query).items()}
        elif "_ptxn" in parse_qs(request.query):
            told = {}  # a link that Paddle made itself, as in its mails: its script knows what it is about
        else:
            raise WebhookRejected("this page was not made by this gateway")
        return self._show(told)

    def _show(self, told: Mapping[str, str]) -> ProviderAnswer:
        home, locale = f"{self._prefix}/me", told.get("locale", "")
        spoken, base = WORDS.speaks(locale), locale.partition("-")[0].lower()
        facts = {
            "token": self._settings.client_token,
            "test": "yes" if self._settings.test else "no",
            "transaction": told.get("transaction", ""),
            "done": told.get("done", home),
            "locale": next((one for one in _LOCALES if one.partition("-")[0] == base), ""),
        }
        content = f"""<h1>{_say(spoken, "Checkout")}</h1>
<p class="lead">{_say(spoken, "The checkout opens on this page. Paddle takes the payment and sends the receipt.")}</p>
<div id="checkout" {" ".join(f'data-{name}="{escape(value)}"' for name, value in facts.items())}></div>
<noscript><p class="notice" role="status">{_say(spoken, _NO_SCRIPTS)}</p></noscript>
<p class="notice" role="status" id="missing" hidden>{_say(spoken, _NOT_LOADED)}</p>
<p id="again" hidden><button type="button" class="primary">{_say(spoken, "Open the checkout")}</button></p>
<p><a href="{escape(told.get("back", home))}">{_say(spoken, "Turn back")}</a></p>
<script src="{escape(self._paddle)}" defer></script>
<script src="{escape(self._prefix)}/provider/paddle/pay.js" defer></script>"""
        page = ProviderAnswer.page(200, WORDS.say(spoken, "Checkout"), content, spoken)
        return replace(page, origins=self._origins)

    def _tag(self, query: str) -> str:
        return hmac.digest(self._key, query.encode(), hashlib.sha256).hex()


def _say(language: str, sentence: str) -> str:
    return escape(WORDS.say(language, sentence))
