"""Put together what takes signed payments, where a config wants it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.payments.lightning import LightningPayments
from gateway.payments.settling import Settling
from gateway.payments.signed import SignedPayments
from gateway.payments.signed_provider import SignedProvider
from gateway.payments.terms import PROVIDER, Terms
from gateway.payments.till import Till
from gateway.ports.clearing import Facilitator, Invoices
from gateway.ports.payment import PaymentProvider
from gateway.settings.agent_checks import lightning_prices, token_prices
from gateway.settings.schema import GatewaySettings
from gateway.store.connection import Store

_MARGIN_MS = 15_000
"""What the store, and a busy machine, may take on top."""


def make_facilitator(settings: GatewaySettings) -> Facilitator | None:
    """The facilitator of a checked config, not started. Raises `ValueError` where its token can't be read."""
    x402 = settings.x402
    if x402 is None:
        return None
    from gateway.clearing.facilitator import HttpFacilitator  # brings a client along that few need

    bearer = x402.authorization.reveal().decode("ascii", "strict").strip() if x402.authorization is not None else ""
    return HttpFacilitator(x402.facilitator, bearer, x402.verify_timeout / 1000, x402.settle_timeout / 1000)


def make_terms(settings: GatewaySettings) -> Terms | None:
    """What programs pay by this config."""
    x402 = settings.x402
    if x402 is None or x402.token is None:
        return None
    making = settings.upstream.connect_timeout + settings.upstream.read_timeout + settings.holds.max_wait
    return Terms(
        scheme=x402.scheme,
        network=x402.network,
        asset=x402.token.address,
        pay_to=x402.pay_to,
        symbol=x402.symbol,
        name=x402.token.name,
        version=x402.token.version,
        valid_seconds=max(x402.valid // 1000, 1),
        prices=token_prices(settings, x402),
        lease_ms=x402.verify_timeout + making + _MARGIN_MS,
        settle_lease_ms=x402.settle_timeout + _MARGIN_MS,
        by_scheme=x402.mpp,
    )


def make_signed(
    settings: GatewaySettings, store: Store, till: Till, facilitator: Facilitator | None
) -> SignedPayments | None:
    """What takes signed payments; None where the config does not want it."""
    terms = make_terms(settings)
    if terms is None or facilitator is None:
        return None
    return SignedPayments(till, store.attempts, facilitator, terms)


def with_signed(
    providers: Mapping[str, PaymentProvider],
    settings: GatewaySettings,
    store: Store,
    till: Till,
    facilitator: Facilitator | None,
) -> dict[str, PaymentProvider]:
    """Whoever can be asked what became of a checkout: the providers, and what knows of signed payments."""
    terms = make_terms(settings)
    if terms is None or facilitator is None:
        return dict(providers)
    settling = Settling(till, store.attempts, facilitator, terms)
    return {**providers, PROVIDER: SignedProvider(store.attempts, settling)}


def make_invoices(settings: GatewaySettings) -> Invoices | None:
    """Who makes invoices by a checked config, not started. Raises `ValueError` where its macaroon can't be read."""
    lightning = settings.lightning
    if lightning is None:
        return None
    from gateway.clearing.lightning import LndInvoices  # as above

    macaroon = lightning.macaroon.reveal().decode("ascii", "strict").strip()
    bytes.fromhex(macaroon)
    return LndInvoices(lightning.lnd, macaroon, lightning.certificate)


def make_lightning(
    settings: GatewaySettings, till: Till, invoices: Invoices | None, key: bytes
) -> LightningPayments | None:
    """What takes payments over the Lightning network; None where the config does not want it."""
    if settings.lightning is None or invoices is None:
        return None
    valid = max(settings.lightning.valid // 1000, 1)
    return LightningPayments(till, invoices, lightning_prices(settings), valid, key)
