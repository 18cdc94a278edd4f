"""Everything a request needs, put together by the wiring: one immutable snapshot per config.

A request keeps the snapshot it began with; a new config becomes a new snapshot, swapped as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import ip_address, ip_network
from traceback import format_exception
from typing import Any

from gateway.access.device import Devices
from gateway.access.identify import IdentityChain
from gateway.access.joining import Joining
from gateway.access.keep import Keeper
from gateway.access.match import RouteTable
from gateway.access.once import Once, Whence
from gateway.access.proof import Proofs
from gateway.access.returns import Returns
from gateway.access.tallies import Tallies
from gateway.access.trial import trial_begin
from gateway.access.visits import Visits
from gateway.core.keyring import Keyring
from gateway.core.rule import Policy, RouteClass
from gateway.core.theme import Theme
from gateway.core.wording import LANGUAGES
from gateway.eventlog.access_log import AccessLog
from gateway.payments.checkout import Cashier
from gateway.payments.lightning import LightningPayments
from gateway.payments.reconcile import Reconciler
from gateway.payments.signed import SignedPayments
from gateway.payments.tickets import Tickets
from gateway.ports.cashbook import Payments
from gateway.ports.events import Events
from gateway.ports.identity import Credentials, Identified
from gateway.ports.state import Subjects, TrialBegin
from gateway.ports.upstream import Upstream, WebSocketUpstream
from gateway.web.message import Guards


@dataclass(frozen=True, slots=True)
class DeclineReason:
    """One of the reasons to choose from when saying "not now"."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """How the service presents itself on the gateway's pages."""

    name: str = "This service"
    contact: str = ""
    terms: str = ""
    reasons: tuple[DeclineReason, ...] = ()
    languages: tuple[str, ...] = LANGUAGES
    """Which it speaks; the first is for whoever asks for none of them."""
    theme: Theme = field(default_factory=Theme)
    templates: str = ""
    """The folder of the owner's templates; empty without one."""

    @property
    def contact_link(self) -> str:
        """Where a link to the contact leads; empty without one."""
        return f"mailto:{self.contact}" if self.contact and "://" not in self.contact else self.contact


class Background:
    """Small work that goes on after an answer, finished before the process ends."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._log = log

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this without anybody waiting for it; what it raises is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def finish(self, seconds: float) -> None:
        """Wait for what is still going on."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log(f"work after an answer failed: {type(error).__name__}: {error}")


class TrustedPeers:
    """The addresses whose forwarding and identity headers are believed; none by default."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        parsed = tuple(ip_network(network, strict=False) for network in networks)

        @lru_cache(maxsize=1024)
        def judge(address: str) -> bool:
            try:
                ip = ip_address(address)
            except ValueError:
                return False
            mapped = getattr(ip, "ipv4_mapped", None)
            return any((mapped or ip) in network for network in parsed)

        self._judge = judge
        self._any = bool(parsed)

    def trusts(self, client: tuple[str, int] | None) -> bool:
        """Whether a connection from this address is from a trusted peer."""
        return client is not None and self.trusts_address(client[0])

    def trusts_address(self, address: str) -> bool:
        """The same of an address alone."""
        return self._any and self._judge(address)


@dataclass(frozen=True, slots=True)
class Runtime:
    """One config at work."""

    policy: Policy
    table: RouteTable
    identities: IdentityChain
    peers: TrustedPeers
    guards: Guards
    upstream: Upstream
    websockets: WebSocketUpstream
    subjects: Subjects
    payments: Payments
    keeper: Keeper
    cashier: Cashier
    reconciler: Reconciler
    signed: SignedPayments | None
    """None where programs don't pay with the request itself."""
    lightning: LightningPayments | None
    """None where nothing is paid for over the Lightning network."""
    tickets: Tickets
    visits: Visits
    tallies: Tallies
    joining: Joining | None
    """None where nobody can sign in, or the config does not want visitors to become people."""
    once: Once | None
    """None where every subject has its trial."""
    devices: Devices | None
    """None where it does not matter which browser somebody comes with."""
    returns: Returns
    proofs: Proofs
    events: Events
    access_log: AccessLog
    background: Background
    keyring: Keyring
    site: Site
    prefix: str
    public_url: str
    """Where people reach the gateway, as an origin; empty where the config does not say."""
    now: Callable[[], int]
    log: Callable[[str], None]
    """One line, or a traceback, for the operator."""
    ping: Callable[[], Awaitable[None]]
    """Whether the store answers; raises `StoreUnavailable`."""

    def whence(self, address: str, credentials: Credentials) -> Whence:
        """Where a request comes from; `address` is the client's, as far as it can be believed."""
        return Whence(address, self.devices.known(credentials) if self.devices is not None else "")

    def trial_begin(self, who: Identified, route_class: RouteClass, whence: Whence) -> TrialBegin | None:
        """How a request of this class begins the trial of a subject that has had none; None when it does not."""
        begin = trial_begin(self.policy.trial, who.claims, route_class)
        if begin is None or self.once is None:
            return begin
        return replace(begin, claims=self.once.claims(who.subject, who.claims, whence))

    def confess(self, error: Exception) -> None:
        """Tell the operator the whole of an error of our own."""
        self.log("an error of the gateway's own:\n" + "".join(format_exception(error)).rstrip())
