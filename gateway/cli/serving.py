"""What `paywall run` and `paywall demo` have in common: open what a gateway needs, serve, and close it all again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.cli.output import CommandFailed, say
from gateway.ports.state import StoreUnavailable
from gateway.settings.address import Address
from gateway.settings.live import LiveSettings, ReloadOutcome, ReloadResult
from gateway.settings.load import Loaded
from gateway.settings.watch import watch
from gateway.store.embedded.server import EmbeddedStore, StoreStartError
from gateway.web.admin import AdminActions, make_admin
from gateway.wire.serve import listen, serve
from gateway.wiring.application import Gateway
from gateway.wiring.secret import SecretError, find_secret

_OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""Python's own 700 are made by a few requests; so many are a few megabytes."""
_NOBODY_ELSE = "one process serves, which can't be replaced while it runs: give it `workers`, or start it again"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a gateway needs before its event loop runs."""

    store_url: str
    secret: bytes
    listener: socket.socket
    admin: socket.socket | None


@contextlib.contextmanager
def prepared(loaded: Loaded) -> Iterator[Prepared]:
    """Open the listening sockets, the secret and the store. Raises `CommandFailed` that says what is in the way."""
    settings = loaded.settings
    _take_no_notice()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(settings.listen, "--listen"))
        admin = stack.enter_context(_listener(settings.admin.listen, "admin.listen")) if settings.admin else None
        try:
            secret = find_secret(settings)
            store_url = str(settings.store)
            if settings.store == "embedded":
                store_url = stack.enter_context(EmbeddedStore(settings.data, say))
        except (SecretError, StoreStartError) as error:
            raise CommandFailed(str(error)) from None
        stack.callback(_take_no_notice)  # the event loop has left them as they were at first
        yield Prepared(store_url, secret, listener, admin)


def _take_no_notice() -> None:
    """What is asked of one that serves must not end one that does not serve yet, or no more, as it does by default."""
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the processes that are started would have, too


def _listener(address: Address, setting: str) -> socket.socket:
    try:
        return listen(address.host, address.port)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]  # asyncio and socket add the address, which stands there
        raise CommandFailed(f"can't listen on {address}: {why}; choose another with {setting}") from None


async def serve_until_stopped(gateway: Gateway, application: Any, opened: Prepared, live: LiveSettings | None) -> None:
    """Start the gateway, serve `application` (the gateway, or what wraps it) until told to stop, and stop it."""
    reloader = Reloader(gateway.reload, live)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, say, _NOBODY_ELSE)
    async with started(gateway):
        actions = _actions(gateway, reloader)
        admin = (make_admin(actions), opened.admin) if opened.admin else None
        try:
            lane = gateway if application is gateway else None
            await serve(application, opened.listener, reloader.ready, reloader.hang_up, admin, lane)
        finally:
            await reloader.stop()


@contextlib.asynccontextmanager
async def started(gateway: Gateway) -> AsyncIterator[None]:
    """The gateway at work meanwhile. Raises `CommandFailed` where it can't start."""
    try:
        await gateway.start()
    except Exception as error:  # a plugin may raise anything: it is told, and nothing is left behind
        await gateway.stop()
        raise CommandFailed(f"the gateway can't start: {error}") from error
    try:
        await _tell_of_store(gateway)
        _settle()
        yield
    finally:
        await gateway.stop()


def _settle() -> None:
    """What is there by now stays as long as the process: the garbage collector need not go through it every time. And
    it is called less often, as hardly anything that a request makes refers to itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _actions(gateway: Gateway, reloader: Reloader) -> AdminActions:
    async def metrics() -> bytes:
        return gateway.metrics.page()

    async def health() -> dict[str, bool]:
        return {"store": await gateway.store.ping()}

    async def status() -> dict[str, Any]:
        return gateway.status()

    return AdminActions(metrics, health, status, reloader.report)


async def _tell_of_store(gateway: Gateway) -> None:
    """It may come up later, so that its absence is no reason not to start; but nobody should have to guess it."""
    try:
        await gateway.store.link.ping()
    except StoreUnavailable as error:
        say(f"{str(error).rstrip('.')}; until it answers, browsing works and results answer 503")


class Reloader:
    """Reads the config again when it changes, on SIGHUP and when an operator asks."""

    def __init__(self, reload: Callable[[LiveSettings], Awaitable[ReloadOutcome]], live: LiveSettings | None) -> None:
        self._reload, self._live = reload, live
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turn = asyncio.Lock()

    async def ready(self) -> None:
        """The gateway serves: watch the config."""
        say("ready")
        if self._live is not None:
            self.run_beside(watch(self._live.path, self.reload, self._live.current.digest))

    def hang_up(self) -> None:
        """SIGHUP."""
        self.run_beside(self._answer_hang_up())

    async def _answer_hang_up(self) -> None:
        outcome = await self.reload()
        if outcome is not None and outcome.result is ReloadResult.UNCHANGED:
            say("the config file is the one in force; a changed secret or key file takes effect at the next start")

    async def reload(self) -> ReloadOutcome | None:
        """Read it again and say what came of it."""
        if self._live is None:
            say("there is no config file to read again: this gateway was started with --upstream alone")
            return None
        async with self._turn:
            outcome = await self._reload(self._live)
        for problem in outcome.problems:
            say(str(problem))
        if outcome.result is ReloadResult.ACCEPTED:
            say("the new config is in force")
        elif outcome.result is ReloadResult.REFUSED:
            say("the new config has errors and was not taken; the old one goes on")
        return outcome

    async def report(self) -> dict[str, Any]:
        """Reload, for the admin listener."""
        outcome = await self.reload()
        if outcome is None:
            return {"result": "unchanged", "problems": ["there is no config file to read again"]}
        return {"result": outcome.result.value, "problems": [str(problem) for problem in outcome.problems]}

    async def stop(self) -> None:
        """Watch no longer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def run_beside(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this meanwhile, until it is done or the gateway stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
