"""The parts of the config by which programs pay with the request itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from gateway.core.money import TOKEN_DIGITS, Money, minor_digits
from gateway.ports.fields import Secret, Settings
from gateway.settings.quantity import Count, Flag, PositiveTime
from gateway.settings.routes import Slug
from gateway.settings.tokens import KNOWN, PEGGED, AmountField, KnownToken
from gateway.settings.written import written

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NETWORK = re.compile(r"eip155:[1-9][0-9]{0,17}")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{3,11}")


def _check_address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no address: write 0x and 40 hexadecimal digits")
    return text


def _check_network(text: str) -> str:
    if _NETWORK.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no network: write eip155: and the chain's number, like eip155:8453 for Base")
    return text


def _check_symbol(text: str) -> str:
    if _SYMBOL.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no symbol: write 4 to 12 capital letters and digits, like USDC")
    return text


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        is_sound = False
    if "@" in text:
        raise ValueError("holds a name or a password: take it out, and give the secret by reference")
    if not is_sound:
        raise ValueError(f"{text!r} is no address of a service: write it like https://example.com/path")
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_check_address)]
ServiceUrl = Annotated[str, AfterValidator(_check_url)]


class Token(Settings):
    """A token that is not known by its name. It must have six decimals and take EIP-3009 authorizations."""

    address: Address = Field(
        description="The token's contract.", examples=["0x036CbD53842c5426634e7929541eC2318f3dCF7e"]
    )
    symbol: Annotated[str, AfterValidator(_check_symbol)] = Field(
        description="What the ledger calls it.", examples=["USDC"]
    )
    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="Name of the domain that its authorizations are signed under (EIP-712); the contract says it.",
        examples=["USD Coin"],
    )
    version: Annotated[str, Field(min_length=1, max_length=20)] = Field(
        description="Version of that domain.", examples=["2"]
    )


class X402(Settings):
    """Payments of programs by x402."""

    facilitator: ServiceUrl = Field(
        description="Who verifies and settles payments: the address that `/verify` and `/settle` are added to.",
        examples=["https://x402.org/facilitator"],
    )
    authorization: Secret | None = Field(
        default=None,
        description="A token that the facilitator wants to see (`Authorization: Bearer`), by reference.",
        examples=[{"env": "FACILITATOR_TOKEN"}],
    )
    pay_to: Address = Field(
        description="The address that payments go to.", examples=["0x209693Bc6afc0C5328bA36FaF03C514EF312287C"]
    )
    network: Annotated[str, AfterValidator(_check_network)] = Field(
        description="The network that is paid on, as CAIP-2 names it: `eip155:8453` is Base, `eip155:84532` a testnet.",
        examples=["eip155:8453"],
    )
    asset: Token | str = Field(
        default="USDC",
        description="The token that is paid with: `USDC`, or its contract, `symbol`, `name` and `version`.",
        examples=["USDC"],
    )
    scheme: Literal["exact"] = Field(
        default="exact",
        description="How it is paid. `exact`: the price, once, by an authorization that can be used once.",
        examples=["exact"],
    )
    price: AmountField | None = Field(
        default=None,
        description="What one result costs, in the token. When left out, what it costs in the currency that the token "
        "stands for: the route's own `price`, or that of the cheapest plan that gives one result.",
        examples=["0.05"],
    )
    prices: Mapping[Slug, AmountField] = Field(
        default=written({}),
        description="What one result of a route costs, by the route's name.",
        examples=[{"documents": "0.10"}],
    )
    valid: PositiveTime = Field(
        default=written("5m"),
        description="How long a signature is to hold: as long as making a result may take, and settling it.",
        examples=["10m"],
    )
    verify_timeout: PositiveTime = Field(
        default=written("10s"),
        description="How long the facilitator may take to verify.",
        examples=["5s"],
    )
    settle_timeout: PositiveTime = Field(
        default=written("45s"),
        description="How long it may take to settle. What has no answer by then is in doubt, and is asked about again; "
        "nobody is asked to pay meanwhile.",
        examples=["90s"],
    )
    mpp: Flag = Field(
        default=False,
        description='Also offer held results by the HTTP authentication scheme "Payment" (MPP, method `evm`).',
        examples=[True],
    )

    @property
    def token(self) -> KnownToken | None:
        """The token; None where its name is not known on this network (`check_x402` says so)."""
        if isinstance(self.asset, Token):
            return KnownToken(self.asset.address, self.asset.name, self.asset.version)
        return KNOWN.get((self.asset, self.network))

    @property
    def symbol(self) -> str:
        """What the ledger calls the token."""
        return self.asset.symbol if isinstance(self.asset, Token) else self.asset

    def result_price(self, route: str, own: Money | None, singles: Iterable[Money]) -> int | None:
        """What one result of a route costs, in atomic units: `own` is its price in money, `singles` are those of plans
        that give one result. None where nothing says."""
        said = self.prices.get(route, self.price)
        if said is not None:
            return said
        currency = PEGGED.get(self.symbol)
        prices = [own] if own is not None else list(singles)
        found = [price.minor for price in prices if price.currency == currency]
        return min(found) * 10 ** (TOKEN_DIGITS - minor_digits(currency)) if found and currency else None


class Lightning(Settings):
    """Payments over the Lightning network, by L402."""

    lnd: ServiceUrl = Field(
        description="The REST interface of the LND node that makes the invoices.", examples=["https://127.0.0.1:8080"]
    )
    macaroon: Secret = Field(
        description="The node's macaroon in hexadecimal, by reference; one that may make invoices is enough "
        "(`invoice.macaroon`).",
        examples=[{"env": "LND_MACAROON"}],
    )
    certificate: Path | None = Field(
        default=None,
        description="The node's own certificate, where no authority signed it.",
        examples=["/var/lib/lnd/tls.cert"],
    )
    price: Count | None = Field(default=None, description="What one result costs, in satoshi.", examples=[500])
    prices: Mapping[Slug, Count] = Field(
        default=written({}),
        description="What one result of a route costs, by the route's name.",
        examples=[{"documents": 900}],
    )
    valid: PositiveTime = Field(default=written("1h"), description="How long an invoice can be paid.", examples=["15m"])
