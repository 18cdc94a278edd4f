"""`paywall run`: the gateway in front of an application."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import uvloop
from cyclopts import Parameter

from gateway.cli.loading import load_config, overrides
from gateway.cli.output import CommandFailed, say
from gateway.settings.live import LiveSettings, ReloadResult
from gateway.settings.load import Loaded
from gateway.settings.watch import watch
from gateway.store.embedded import EmbeddedStore, StoreStartError
from gateway.wire.serve import listen as open_listener
from gateway.wire.serve import serve
from gateway.wiring.application import Gateway
from gateway.wiring.plugins import check_plugins
from gateway.wiring.secret import SecretError, find_secret


def run(
    *,
    config: Annotated[Path | None, Parameter(help="The config file.")] = None,
    upstream: Annotated[str | None, Parameter(help="The application, such as http://localhost:3000.")] = None,
    listen: Annotated[str | None, Parameter(help="Where to listen, such as 127.0.0.1:8080.")] = None,
    store: Annotated[str | None, Parameter(help="`embedded`, or the URL of a Redis or Valkey.")] = None,
) -> None:
    """Put the gateway in front of an application.

    With --upstream alone, downloads are withheld after the trial: answers that are attachments or documents. A config
    (see `paywall init`) names your own result routes, plans and ways to pay. The config is read again when it changes
    and on SIGHUP; a bad one changes nothing.
    """
    loaded = load_config(config, upstream, listen, store, warnings=config is not None)
    live = (
        LiveSettings(config, loaded, check=check_plugins, overrides=overrides(upstream, listen, store))
        if config
        else None
    )
    with prepared(loaded) as (store_url, secret, listener):
        gateway = Gateway(loaded, store_url, secret, say, sys.stdout)
        announce(loaded, listener, config)
        uvloop.run(serve_until_stopped(gateway, gateway, listener, live))
        say("stopped")


@contextlib.contextmanager
def prepared(loaded: Loaded) -> Any:
    """Open what a gateway needs before its event loop runs: the store, the secret and the listening socket."""
    settings = loaded.settings
    try:
        secret = find_secret(settings)
    except SecretError as error:
        raise CommandFailed(str(error)) from None
    address = settings.listen
    try:
        listener = open_listener(address.host, address.port)
    except OSError as error:
        raise CommandFailed(f"can't listen on {address}: {error.strerror}; choose another with --listen") from None
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        try:
            if settings.store == "embedded":
                store_url = stack.enter_context(EmbeddedStore(settings.data, say))
            else:
                store_url = str(settings.store)
        except StoreStartError as error:
            raise CommandFailed(f"{error}") from None
        yield store_url, secret, listener


def announce(loaded: Loaded, listener: socket.socket, config: Path | None) -> None:
    """Say where it listens, what it stands in front of, and what it withholds."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    say(f"listening on http://{shown}:{port}, in front of {loaded.settings.upstream.url}")
    if config is None:
        say(
            "after the trial it withholds downloads (attachments, PDF, CSV, spreadsheets, archives); "
            f"to name your own routes: paywall init --upstream {loaded.settings.upstream.url}"
        )
    if not loaded.settings.payments:
        say("no way to pay is set up yet: people see the offer but can't pay (see `payments` in the config)")


async def serve_until_stopped(
    gateway: Gateway, application: Any, listener: socket.socket, live: LiveSettings | None
) -> None:
    """Start the gateway, serve `application` (the gateway, or what wraps it) until told to stop, and stop it."""
    tasks: set[asyncio.Task[Any]] = set()

    async def reload() -> None:
        if live is None:
            say("there is no config file to read again: this gateway was started with --upstream alone")
            return
        outcome = await gateway.reload(live)
        for problem in outcome.problems:
            say(str(problem))
        if outcome.result is ReloadResult.ACCEPTED:
            say("the new config is in force")
        elif outcome.result is ReloadResult.REFUSED:
            say("the new config has errors and was not taken; the old one goes on")

    def on_hangup() -> None:
        task = asyncio.create_task(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def on_ready() -> None:
        say("ready")
        if live is not None:
            tasks.add(asyncio.create_task(watch(live.path, reload, live.current.digest)))

    try:
        await gateway.start()
    except Exception as error:  # a plugin may raise anything: it is told, and nothing is left behind
        await gateway.stop()
        raise CommandFailed(f"the gateway can't start: {error}") from error
    try:
        await serve(application, listener, on_ready, on_hangup)
    finally:
        await gateway.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
