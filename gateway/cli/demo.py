"""`paywall demo`: a real application behind the gateway, to be looked at from every standing."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter

from gateway.cli.output import CommandFailed, say
from gateway.cli.serving import prepared, serve_until_stopped
from gateway.demo.application import ApplicationFailed, datasette
from gateway.demo.flights import FLIGHTS, DemoDataMissing, build_database
from gateway.demo.personas import PERSONAS, prepare
from gateway.demo.strip import START, Strip
from gateway.settings.address import Address
from gateway.settings.load import Loaded, load_settings
from gateway.settings.overlay import Override
from gateway.wiring.application import Gateway


def demo(
    *,
    listen: Annotated[str, Parameter(help="Where to listen.", metavar="HOST:PORT")] = "127.0.0.1:8080",
    data: Annotated[Path, Parameter(help="A folder for the demo's data; remove it to begin anew.")] = Path(
        "paywall-demo"
    ),
) -> None:
    """Show the gateway in front of Datasette with 336,776 flights, on this machine alone, with nothing to configure."""
    database = data / "flights.db"
    try:
        Address.parse(listen)
    except ValueError as error:
        raise CommandFailed(f"--listen: {error}", 2) from None
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not database.exists():
            build_database(database, _progress)
            say("the flights are ready")
        with datasette(database, data) as upstream:
            _show(_config(upstream, listen, data))
    except (DemoDataMissing, ApplicationFailed) as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        raise CommandFailed(
            f"the demo can't use the folder {data}: {error.strerror}; give another with --data"
        ) from None


def _config(upstream: str, listen: str, data: Path) -> Loaded:
    options = [
        Override("the demo", ("upstream",), upstream),
        Override("--listen", ("listen",), listen),
        Override("--data", ("data",), str(data)),
    ]
    with as_file(files("gateway.demo").joinpath("paywall.yaml")) as path:
        return load_settings(path, environ={}, overrides=options)


def _show(loaded: Loaded) -> None:
    with prepared(loaded) as opened:
        gateway = Gateway(loaded, opened.store_url, opened.secret, say, sys.stdout)
        store = gateway.store
        application = Strip(gateway, lambda person: prepare(person, store.subjects, store.operations))
        host, port = opened.listener.getsockname()[:2]
        address = f"http://{host}:{port}"
        say(f"{FLIGHTS:,} flights behind the gateway. Open in a browser:")
        say(f"  {address}{START}")
        for persona in PERSONAS:
            say(f"  {address}/_demo/{persona.name:<10}{persona.hint}")
        say("stop with Ctrl-C")
        uvloop.run(serve_until_stopped(gateway, application, opened, None))


def _progress(count: int) -> None:
    share = min(100, count * 100 // FLIGHTS)
    if sys.stderr.isatty():
        sys.stderr.write(f"\rpaywall: making the demo's database, once: {count:,} flights ({share} %) ")
        sys.stderr.write("\n" if count >= FLIGHTS else "")
        sys.stderr.flush()
    elif count >= FLIGHTS:
        say(f"made the demo's database: {count:,} flights")
