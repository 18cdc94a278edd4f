"""The page that Paddle's checkout opens on ("Pass a transaction to a checkout", "Include and initialize Paddle.js").

Paddle's checkout lives in a page of the seller's, by a script of Paddle's. What the page is about stands in its
address, signed, so that nobody can send people a page of ours that leads elsewhere afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from gateway.ports.payment import CheckoutRequest, Headers, ProviderAnswer, ProviderRequest, WebhookRejected
from gateway_pay_paddle.settings import PaddleSettings

_LOCALES = ("ar", "da", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "no", "pl", "pt", "ru", "sv", "zh-Hans")
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
        language = request.locale.lower().partition("-")[0]
        locale = next((one for one in _LOCALES if one.partition("-")[0] == language), "")
        query = urlencode({**told, "locale": locale})
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
        home = f"{self._prefix}/me"
        facts = {
            "token": self._settings.client_token,
            "test": "yes" if self._settings.test else "no",
            "transaction": told.get("transaction", ""),
            "done": told.get("done", home),
            "locale": told.get("locale", ""),
        }
        content = _CONTENT.format(
            data=" ".join(f'data-{name}="{escape(value)}"' for name, value in facts.items()),
            back=escape(told.get("back", home)),
            paddle=escape(self._paddle),
            own=f"{escape(self._prefix)}/provider/paddle/pay.js",
        )
        headers: Headers = [(b"content-type", b"text/html; charset=utf-8")]
        return ProviderAnswer(200, headers, content.encode(), origins=self._origins)

    def _tag(self, query: str) -> str:
        return hmac.digest(self._key, query.encode(), hashlib.sha256).hex()


_CONTENT = """Checkout
<h1>Checkout</h1>
<p class="lead">The checkout opens on this page. Paddle takes the payment and sends the receipt.</p>
<div id="checkout" {data}></div>
<noscript><p class="notice" role="status">The checkout needs JavaScript. Nothing was charged.</p></noscript>
<p class="notice" role="status" id="missing" hidden>The checkout did not load. Nothing was charged. Reload this page, or
allow scripts of paddle.com.</p>
<p id="again" hidden><button type="button" class="primary">Open the checkout</button></p>
<p><a href="{back}">Turn back</a></p>
<script src="{paddle}" defer></script>
<script src="{own}" defer></script>
"""
