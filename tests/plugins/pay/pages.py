"""For plugins whose pages are the gateway's own: their buttons, and addresses of a stranger's making."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderAnswer, ProviderRequest, Started
from gateway.ports.plugin import Plugin
from gateway.testing.host import StandingHost

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


class OwnPageRig:
    """Presses a button on the plugin's own page."""

    secrets: Sequence[str] = ()
    prices: Sequence[Money] = (Money(1_900, "EUR"), Money(500, "JPY"), Money(1_500, "KWD"))

    def __init__(self, plugin: Plugin[Any, Any], settings: Any, path: str) -> None:
        self.host, self._path = StandingHost(), path
        self.provider: PaymentProvider = plugin.create(plugin.settings.model_validate(settings), self.host)

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        """What the button sends."""
        return [self.pressed(urlsplit(started.address).query)]

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        """Addresses that the gateway did not make."""
        query = urlsplit(started.address).query
        order, _, tag = query.partition("&tag=")
        return [
            ("no tag", self.pressed(order)),
            ("an empty tag", self.pressed(f"{order}&tag=")),
            ("a tag of another order", self.pressed(f"order=eyJhbW91bnQiOiAxfQ%3D%3D&tag={tag}")),
            ("a tag that is no text", self.pressed(f"{order}&tag=%FF%FE")),
            ("an altered order", self.pressed(query.replace("order=e", "order=f"))),
        ]

    def pressed(self, query: str, body: bytes = b"choice=pay") -> ProviderRequest:
        """A form of the page that is sent."""
        return ProviderRequest("POST", self._path, query, FORM, body)

    def asked(self, started: Started) -> ProviderRequest:
        """The page itself."""
        return ProviderRequest("GET", self._path, urlsplit(started.address).query, [], b"")


def text(answer: ProviderAnswer) -> str:
    """The HTML of an answer."""
    return answer.body.decode()


def leads_to(answer: ProviderAnswer) -> str:
    """Where an answer leads; empty where it stays."""
    return dict(answer.headers).get(b"location", b"").decode()
