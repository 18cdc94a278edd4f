"""`paywall run`: the gateway in front of an application."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter

from gateway.cli.loading import load_config, overrides
from gateway.cli.output import say
from gateway.cli.serving import prepared, serve_until_stopped
from gateway.cli.serving_together import serve_together
from gateway.settings.live import LiveSettings
from gateway.settings.load import Loaded
from gateway.wiring.application import Gateway
from gateway.wiring.check import check_rooms


def run(
    *,
    config: Annotated[Path | None, Parameter(help="The config file.")] = None,
    upstream: Annotated[
        str | None, Parameter(help="The application, such as http://localhost:3000.", metavar="URL")
    ] = None,
    listen: Annotated[
        str | None, Parameter(help="Where to listen, such as 127.0.0.1:8080.", metavar="HOST:PORT")
    ] = None,
    store: Annotated[str | None, Parameter(help="`embedded`, or the URL of a Redis or Valkey.", metavar="URL")] = None,
    workers: Annotated[int | None, Parameter(help="Processes that serve, one for each core at most.")] = None,
) -> None:
    """Put the gateway in front of an application.

    With --upstream alone, downloads are withheld after the trial: answers that are attachments or documents. A config
    (see `paywall init`) names your own result routes, plans and ways to pay. The config is read again when it changes
    and on SIGHUP; a bad one changes nothing.
    """
    loaded = load_config(config, upstream, listen, store, workers, warnings=config is not None)
    live = None
    if config is not None:
        live = LiveSettings(config, loaded, check=check_rooms, overrides=overrides(upstream, listen, store, workers))
    with prepared(loaded) as opened:
        announce(loaded, opened.listener, opened.admin, config)
        if loaded.settings.workers > 1:
            asyncio.run(serve_together(loaded, opened, live))
        else:
            gateway = Gateway(loaded, opened.store_url, opened.secret, say, sys.stdout)
            uvloop.run(serve_until_stopped(gateway, gateway, opened, live))
        say("stopped")


def announce(loaded: Loaded, listener: socket.socket, admin: socket.socket | None, config: Path | None) -> None:
    """Say where it listens, what it stands in front of, and what it withholds."""
    application = ", ".join(map(str, loaded.settings.upstream.addresses))
    say(f"listening on {_address(listener)}, in front of {application}")
    if admin is not None:
        say(f"operators' pages on {_address(admin)}: /health/ready, /metrics, /status, POST /reload")
    if config is None:
        say(
            "after the trial it withholds downloads (attachments, PDF, CSV, spreadsheets, archives); "
            f"to name your own routes: paywall init --upstream {application}"
        )
    if not loaded.settings.payments:
        say("no way to pay is set up yet: people see the offer but can't pay (see `payments` in the config)")


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
