"""The gateway as one ASGI application: its life, and the config in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from gateway.access.returns import Returns
from gateway.access.tallies import Tallies
from gateway.access.visits import Visits
from gateway.core.event import ConfigReloaded
from gateway.core.keyring import Keyring
from gateway.eventlog.access_log import AccessLog
from gateway.eventlog.metrics import Metrics
from gateway.payments.reconcile import Reconciler
from gateway.ports.trials import Retention
from gateway.ports.wire import Headers, Line, Traveller
from gateway.settings.live import LiveSettings, ReloadOutcome, ReloadResult
from gateway.settings.load import Loaded
from gateway.settings.problem import Problem
from gateway.store.connection import Store, open_store
from gateway.upstream.rota import Place
from gateway.web.gate import Gate
from gateway.web.runtime import Background
from gateway.wiring.assemble import Connectors, Lasting, Places, assemble, make_connectors, wall_clock
from gateway.wiring.plugins import Providers, make_providers, start_providers, stop_providers
from gateway.wiring.reconciling import Reconciling
from gateway.wiring.renewal import renew
from gateway.wiring.sweeping import Sweeping
from gateway.wiring.withdrawals import Withdrawals

DRAIN_SECONDS = 30.0
"""How long requests of an old config may still need its plugins."""

SPOOLS = "spool"
"""Where in the data folder events wait for the store."""


@dataclass(frozen=True, slots=True)
class Successor:
    """A config with everything that it needs, ready to be put in force."""

    loaded: Loaded
    providers: Providers
    connectors: Connectors
    gate: Gate
    reconciler: Reconciler


def describe(loaded: Loaded, problems: Iterable[Problem]) -> dict[str, Any]:
    """A config in force, for operators; `problems` are those of the newest."""
    settings = loaded.settings
    return {
        "config": {"digest": loaded.digest, "problems": [str(problem) for problem in problems]},
        "upstream": ", ".join(map(str, settings.upstream.addresses)),
        "store": "embedded" if settings.store == "embedded" else "redis",
        "routes": len(settings.routes),
    }


class Gateway:
    """Serves requests by the config in force; a new one takes its place as a whole."""

    def __init__(
        self, loaded: Loaded, store_url: str, secret: bytes, log: Callable[[str], None], access_stream: TextIO
    ) -> None:
        store, keyring = open_store(store_url, loaded.settings.data / SPOOLS, log), Keyring(secret)
        self._withdrawals = Withdrawals(loaded.settings.data / "taken", log)
        self.metrics = Metrics(lambda: store.events.dropped, self._set_aside, lambda: store.events.spool_size)
        self._loaded = loaded
        self._log = log
        self._lasting = Lasting(
            store=store,
            keyring=keyring,
            visits=Visits(store.subjects, store.events, keyring, wall_clock, log),
            tallies=Tallies(store.subjects, log),
            returns=Returns(store.subjects, self._withdrawals, store.events, keyring, wall_clock),
            access_log=AccessLog(access_stream, loaded.settings.log.format, self.metrics),
            background=Background(log),
            now=wall_clock,
            log=log,
        )
        self._sweeping = Sweeping(store.stock, wall_clock, log)
        self._reconciling = Reconciling(log)
        self._reconciler: Reconciler | None = None
        self._providers: Providers | None = None
        self._connectors: Connectors | None = None
        self._gate: Gate | None = None
        self.enter: Callable[[str, bytes, Headers, tuple[str, int] | None, str, Line], Traveller | None]
        """The port `Lane`, once started: the short way of the config in force, without a detour."""
        self._retiring: dict[asyncio.Task[None], Providers] = {}
        self._retired: list[Place] = []
        self.problems: tuple[Problem, ...] = loaded.problems
        """What is to be said of the newest config."""

    @property
    def store(self) -> Store:
        """The store of this gateway."""
        return self._lasting.store

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, by the config in force when it came."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            assert self._gate is not None, "the server must run the lifespan"
            await self._gate(scope, receive, send)

    async def start(self) -> None:
        """Open the store and the plugins, put the first config in force."""
        await self._lasting.store.start(self._log)
        await self._lasting.visits.start()
        await self._lasting.tallies.start()
        self._withdrawals.open(self._lasting.returns, self._lasting.background, self._lasting.store.identity)
        await self._put_in_force(self._loaded)
        self._sweeping.start(lambda: self._providers.storage if self._providers is not None else None)
        self._reconciling.start(lambda: self._reconciler)

    async def stop(self) -> None:
        """Finish what is going on, then close everything."""
        await self._withdrawals.stop_looking()
        await self._sweeping.stop()
        await self._reconciling.stop()
        await self._lasting.background.finish(5.0)
        await self._lasting.visits.stop()
        await self._lasting.tallies.stop()
        for task, old in list(self._retiring.items()):
            task.cancel()
            await stop_providers(old, self._log)
        if self._providers is not None:
            await stop_providers(self._providers, self._log)
        for place in (*self._retired, *self._places.values()):
            await place.close()
        self._lasting.access_log.flush()
        self._withdrawals.close()
        await self._lasting.store.stop()

    def status(self) -> dict[str, Any]:
        """The config in force, and how the store and the application are doing, for operators."""
        store = self._lasting.store
        return {
            **describe(self._loaded, self.problems),
            "upstream_set_aside": [address for address, is_set_aside in self._set_aside().items() if is_set_aside],
            "events_dropped": store.events.dropped,
            "events_spool_bytes": store.events.spool_size,
            "store_warnings": store.warnings(),
        }

    async def reload(self, live: LiveSettings) -> ReloadOutcome:
        """Read the config again and put it in force if it holds; a bad one changes nothing. Never raises."""
        outcome = await renew(live, self._put_in_force)
        if outcome.result is not ReloadResult.UNCHANGED:
            accepted = outcome.result is ReloadResult.ACCEPTED
            self.problems = outcome.problems
            self.metrics.count_reload(outcome.result.value, accepted)
            self.record_reload(accepted, len(outcome.problems))
        return outcome

    def record_reload(self, accepted: bool, problems: int) -> None:
        """The event of a new config."""
        event = ConfigReloaded(at=wall_clock(), accepted=accepted, problems=problems)
        self._lasting.store.events.record(event)

    @property
    def _places(self) -> Places:
        return self._connectors.places if self._connectors is not None else {}

    def _set_aside(self) -> Mapping[str, bool]:
        return self._connectors.set_aside if self._connectors is not None else {}

    async def _put_in_force(self, loaded: Loaded) -> None:
        self.take(await self.make_ready(loaded))

    async def make_ready(self, loaded: Loaded) -> Successor:
        """Start what a config needs, beside what runs. Raises whatever a plugin raises, and then nothing is left."""
        settings, lasting = loaded.settings, self._lasting
        made = make_providers(loaded, lasting.keyring, settings.prefix, lasting.now, self._log)
        providers = await start_providers(made, self._log)
        try:
            connectors = make_connectors(settings, self._places, self._log)
            runtime = assemble(loaded, lasting, connectors, providers)
            gate = Gate(runtime)
        except BaseException:
            await stop_providers(providers, self._log)
            raise
        return Successor(loaded, providers, connectors, gate, runtime.reconciler)

    def take(self, new: Successor) -> None:
        """Serve by this config from now on; what the old one needs goes on until its requests have ended."""
        old_places, old_providers = self._places, self._providers
        self._providers, self._connectors, self._loaded = new.providers, new.connectors, new.loaded
        self._gate, self.enter, self._reconciler = new.gate, new.gate.lane.enter, new.reconciler
        kept = new.loaded.settings.retention
        self._lasting.store.subjects.retain(Retention(kept.subjects or 0, kept.trials or 0))
        for key in old_places.keys() - new.connectors.places.keys():
            old_places[key].retire()
            self._retired.append(old_places[key])
        if old_providers is not None:
            task = asyncio.create_task(self._retire(old_providers))
            self._retiring[task] = old_providers
            task.add_done_callback(lambda done: self._retiring.pop(done, None))

    async def drop(self, new: Successor) -> None:
        """Stop what was made ready and is not wanted after all."""
        await stop_providers(new.providers, self._log)
        for key in new.connectors.places.keys() - self._places.keys():
            await new.connectors.places[key].close()

    async def _retire(self, providers: Providers) -> None:
        await asyncio.sleep(DRAIN_SECONDS)
        await stop_providers(providers, self._log)

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                try:
                    await self.start()
                except Exception as error:  # told to the server, which ends the process with this message
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
