"""Payments for commands: the providers of a config, and nothing else of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.core.keyring import Keyring
from gateway.extend.life import start_all, stop_all
from gateway.payments.reconcile import Reconciler
from gateway.payments.signed_provider import SignedProvider
from gateway.payments.terms import PROVIDER
from gateway.payments.till import Till
from gateway.ports.payment import PaymentProvider
from gateway.ports.plugin import Provider
from gateway.settings.load import Loaded
from gateway.store.connection import Store
from gateway.wiring.assemble import make_till, wall_clock
from gateway.wiring.plugins import make_payments
from gateway.wiring.signing import make_facilitator, with_signed


@dataclass(frozen=True, slots=True)
class Cash:
    """What a command about payments needs."""

    till: Till
    providers: Mapping[str, PaymentProvider]
    reconciler: Reconciler
    signed: SignedProvider | None
    """What knows of payments that came signed with a request, where the config takes them."""


@asynccontextmanager
async def open_cash(loaded: Loaded, store: Store, secret: bytes, log: Callable[[str], None]) -> AsyncIterator[Cash]:
    """The providers of a config, started; stopped in the end. Raises `PluginError`, `ValueError`, and what a plugin
    raises."""
    keyring = Keyring(secret)
    till = make_till(loaded.settings, store, keyring, log)
    providers = make_payments(loaded, keyring, wall_clock, log)
    facilitator = make_facilitator(loaded.settings)
    needed: list[Provider] = [*providers.values(), *filter(None, [facilitator])]
    try:
        await start_all(needed, log)
        asked = with_signed(providers, loaded.settings, store, till, facilitator)
        signed = asked.get(PROVIDER)
        yield Cash(till, providers, Reconciler(till, asked), signed if isinstance(signed, SignedProvider) else None)
    finally:
        await stop_all(needed, log)
