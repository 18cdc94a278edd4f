"""Put one config to work: settings in, a gate out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.access.device import Devices
from gateway.access.hold_id import HoldIds
from gateway.access.identify import IdentityChain
from gateway.access.joining import Joining
from gateway.access.keep import Keeper
from gateway.access.match import RouteTable
from gateway.access.once import Once
from gateway.access.outside import Outside
from gateway.access.proof import Proofs
from gateway.access.returns import Returns
from gateway.access.seal import SealKeys
from gateway.access.tallies import Tallies
from gateway.access.teasers import Teasers
from gateway.access.visits import Visits
from gateway.core.keyring import Keyring
from gateway.core.rule import Policy
from gateway.eventlog.access_log import AccessLog
from gateway.payments.checkout import Cashier
from gateway.payments.reconcile import Reconciler
from gateway.payments.tickets import Tickets
from gateway.payments.till import Till
from gateway.ports.state import StoreUnavailable
from gateway.ports.upstream import Upstream, WebSocketUpstream
from gateway.settings.address import Origin
from gateway.settings.load import Loaded
from gateway.settings.policy import build_policy
from gateway.settings.schema import GatewaySettings
from gateway.settings.theme import theme_of
from gateway.store.connection import Store
from gateway.upstream.address import parse_address
from gateway.upstream.limits import UpstreamLimits
from gateway.upstream.rota import Place, Rota
from gateway.web.message import Guards
from gateway.web.runtime import Background, DeclineReason, Runtime, Site, TrustedPeers
from gateway.wiring.plugins import Providers
from gateway.wiring.signing import make_lightning, make_signed, with_signed

OWN_HEADERS = frozenset({b"paywall-reason", b"paywall-result", b"paywall-step", b"paywall-context"})


def wall_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Lasting:
    """What outlives a config."""

    store: Store
    keyring: Keyring
    visits: Visits
    tallies: Tallies
    returns: Returns
    access_log: AccessLog
    background: Background
    now: Callable[[], int]
    log: Callable[[str], None]


Places = Mapping[tuple[Origin, UpstreamLimits], Place]
"""By what a config says of them: whatever says the same is the same place."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """The connections to the application."""

    places: Places
    upstream: Upstream
    websockets: WebSocketUpstream

    @property
    def set_aside(self) -> dict[str, bool]:
        """Which addresses are set aside; empty for an application at one address, which never is."""
        if len(self.places) == 1:
            return {}
        return {str(origin): place.health.set_aside for (origin, _), place in self.places.items()}


def make_connectors(settings: GatewaySettings, kept: Places, log: Callable[[str], None]) -> Connectors:
    """Connectors to the application of this config, at the `kept` places where it names the same. Raises `ValueError`.

    An application at one address is reached without a detour.
    """
    upstream = settings.upstream
    limits = UpstreamLimits(
        connect_timeout=upstream.connect_timeout / 1000,
        read_timeout=upstream.read_timeout / 1000,
        max_connections=upstream.max_connections,
        keepalive_idle=max(upstream.keepalive / 1000, 0.001),
    )
    places = {}
    for origin in upstream.addresses:
        key = (origin, limits)
        places[key] = kept.get(key) or Place(parse_address(str(origin)), limits, log)
    if len(places) == 1:
        [place] = places.values()
        return Connectors(places, place.http, place.websockets)
    rota = Rota(tuple(places.values()))
    return Connectors(places, rota, rota)


def assemble(loaded: Loaded, lasting: Lasting, connectors: Connectors, providers: Providers) -> Runtime:
    """One config at work."""
    settings, store, keyring = loaded.settings, lasting.store, lasting.keyring
    policy = build_policy(settings, loaded.route_lines)

    identities = IdentityChain(providers.identity, lasting.log)
    joins = settings.merge_visitors and identities.may_join

    async def ping() -> None:
        if not await store.ping():
            raise StoreUnavailable("the store does not answer")

    till = make_till(settings, store, keyring, lasting.log)
    return Runtime(
        policy=policy,
        table=RouteTable(policy.rules, policy.frameworks),
        identities=identities,
        peers=TrustedPeers(tuple(str(network) for network in settings.trusted_proxies)),
        guards=Guards(
            OWN_HEADERS,
            frozenset(name.encode("ascii") for provider in providers.identity for name in provider.trusted_headers),
        ),
        upstream=connectors.upstream,
        websockets=connectors.websockets,
        subjects=store.subjects,
        payments=store.payments,
        keeper=_keeper(settings, policy, lasting, providers),
        cashier=Cashier(till, providers.payments),
        reconciler=Reconciler(till, with_signed(providers.payments, settings, store, till, providers.facilitator)),
        signed=make_signed(settings, store, till, providers.facilitator),
        lightning=make_lightning(settings, till, providers.invoices, keyring.key("lightning tokens")),
        tickets=Tickets(*(each.key("payment tickets") for each in (keyring, *_former(settings)))),
        visits=lasting.visits,
        tallies=lasting.tallies,
        joining=_joining(identities, lasting) if joins else None,
        once=Once(policy.trial.once, keyring.key("trials")) if policy.trial.once.asks else None,
        devices=Devices(keyring.key("devices")) if policy.trial.once.device else None,
        returns=lasting.returns,
        proofs=Proofs(keyring.key("rights")),
        events=store.events,
        access_log=lasting.access_log,
        background=lasting.background,
        keyring=keyring,
        site=_site(settings),
        prefix=settings.prefix,
        public_url=settings.public_url or "",
        now=lasting.now,
        log=lasting.log,
        ping=ping,
    )


def _joining(identities: IdentityChain, lasting: Lasting) -> Joining:
    store = lasting.store
    return Joining(
        identities, store.operations, store.subjects, store.events, lasting.keyring, lasting.now, lasting.visits.tell
    )


def _keeper(settings: GatewaySettings, policy: Policy, lasting: Lasting, providers: Providers) -> Keeper:
    keyrings = [lasting.keyring, *_former(settings)]
    return Keeper(
        holds=lasting.store.holds,
        ids=HoldIds(*(keyring.key("hold ids") for keyring in keyrings)),
        keys=SealKeys(*(keyring.key("held results") for keyring in keyrings)),
        teasers=Teasers(providers.teasers, lasting.log),
        limits=policy.hold_limits,
        now=lasting.now,
        outside=outside_of(settings, lasting.store, providers),
    )


def make_till(settings: GatewaySettings, store: Store, keyring: Keyring, log: Callable[[str], None]) -> Till:
    """What setting out to pay and hearing of payments need."""
    return Till(store.payments, store.pending, keyring, store.events, wall_clock, log, _former(settings))


def _former(settings: GatewaySettings) -> list[Keyring]:
    return [Keyring(secret.reveal()) for secret in settings.former_secrets]


def outside_of(settings: GatewaySettings, store: Store, providers: Providers) -> Outside | None:
    """The storage of large held results, where a config has one outside of the store."""
    if providers.storage is None:
        return None
    holds = settings.holds
    return Outside(providers.storage_name, providers.storage, store.stock, holds.large, holds.max_stored or 0)


def _site(settings: GatewaySettings) -> Site:
    offer = settings.offer
    reasons = tuple(DeclineReason(reason.id, reason.text) for reason in offer.reasons)
    return Site(
        offer.name,
        offer.contact or "",
        offer.terms_url or "",
        reasons,
        offer.languages,
        theme_of(offer.theme),
        str(offer.templates or ""),
    )
