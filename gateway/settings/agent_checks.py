"""What is wrong, or probably not meant, with the ways in which programs pay; and what each result costs them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.core.rule import RouteClass
from gateway.settings.agents import X402
from gateway.settings.draft import Draft
from gateway.settings.policy import DECLARED_RESULT, route_names
from gateway.settings.problem import WILL_NOT_START, Severity
from gateway.settings.schema import GatewaySettings
from gateway.settings.tokens import KNOWN
from gateway.settings.wording import Finding

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def token_prices(settings: GatewaySettings, x402: X402) -> dict[str, int]:
    """What one result of each result route costs, in atomic units of the token; without those that have no price."""
    singles = [plan.price for plan in settings.plans if plan.gives.results == 1]
    routes = zip(settings.routes, route_names(settings.routes), strict=True)
    own = {name: route.price for route, name in routes if route.class_ is RouteClass.RESULT}
    prices = {name: x402.result_price(name, price, singles) for name, price in {**own, DECLARED_RESULT: None}.items()}
    return {name: price for name, price in prices.items() if price is not None}


def check_x402(draft: Draft) -> Iterator[Finding]:
    """The token must be known, every price must be of a result, and every result should have one."""
    x402 = draft.settings.x402
    if x402 is None:
        return
    if x402.token is None:
        known = ", ".join(sorted(network for symbol, network in KNOWN if symbol == x402.asset))
        mend = (
            f"it is known on {known}"
            if known
            else "the known ones are " + ", ".join(sorted({each[0] for each in KNOWN}))
        )
        yield Finding(
            ("x402", "asset"),
            f"'{x402.asset}' is not known on {x402.network}: {mend}; or write `{{address: 0x…, symbol: …, name: …, "
            "version: …}`",
        )
    yield from _check_address(x402)
    if x402.authorization is not None:
        try:
            x402.authorization.reveal()
        except (ValueError, OSError) as error:
            where = "env" if x402.authorization.env is not None else "file"
            yield _warning("authorization", where, message=f"{error}: {WILL_NOT_START}")
    if not draft.broken & {"routes", "plans", "x402"}:
        yield from _check_prices(draft.settings, x402)


def lightning_prices(settings: GatewaySettings) -> dict[str, int]:
    """What one result of each result route costs in satoshi; without those that have no price."""
    lightning = settings.lightning
    if lightning is None:
        return {}
    routes = zip(settings.routes, route_names(settings.routes), strict=True)
    names = [name for route, name in routes if route.class_ is RouteClass.RESULT]
    prices = {name: lightning.prices.get(name, lightning.price) for name in [*names, DECLARED_RESULT]}
    return {name: price for name, price in prices.items() if price is not None}


def check_lightning(draft: Draft) -> Iterator[Finding]:
    """Every price must be of a result, and the node's macaroon must be there."""
    lightning = draft.settings.lightning
    if lightning is None:
        return
    names = route_names(draft.settings.routes)
    routes = zip(draft.settings.routes, names, strict=True)
    results = [name for route, name in routes if route.class_ is RouteClass.RESULT]
    for name in lightning.prices:
        if name not in results and "routes" not in draft.broken:
            message = "is no route of the class result: name one, or take it out"
            yield Finding(("lightning", "prices", name), message)
    if lightning.price is None and not lightning.prices:
        yield Finding(("lightning",), "names no price: add `price`, in satoshi", Severity.WARNING)
    try:
        lightning.macaroon.reveal()
    except (ValueError, OSError) as error:
        where = "env" if lightning.macaroon.env is not None else "file"
        yield Finding(("lightning", "macaroon", where), f"{error}: {WILL_NOT_START}", Severity.WARNING)


def _check_address(x402: X402) -> Iterator[Finding]:
    parts = urlsplit(x402.facilitator)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        yield _warning("facilitator", message="is asked without TLS: whoever is on the way can say that money came")


def _check_prices(settings: GatewaySettings, x402: X402) -> Iterator[Finding]:
    names = route_names(settings.routes)
    routes = zip(settings.routes, names, strict=True)
    results = [name for route, name in routes if route.class_ is RouteClass.RESULT]
    for name in x402.prices:
        if name not in results:
            yield Finding(("x402", "prices", name), "is no route of the class result: name one, or take it out")
    without = [name for name in results if name not in token_prices(settings, x402)]
    if without:
        listed = ", ".join(without[:5]) + (" and others" if len(without) > 5 else "")
        yield _warning(message=f"{listed} can't be paid for by programs: add `price`, or a price for each in `prices`")


def _warning(*path: str, message: str) -> Finding:
    return Finding(("x402", *path), message, Severity.WARNING)
