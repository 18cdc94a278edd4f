"""`paywall plugins`: what is installed."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from gateway.cli.output import put, put_json
from gateway.extend.catalogue import KINDS, PluginError, installed, load


def plugins(*, json: Annotated[bool, Parameter(help="For programs.", negative="")] = False) -> None:
    """List the plugins that are installed, by kind."""
    rows = [(kind, name, _summary(kind, name)) for kind in KINDS for name in sorted(installed(kind))]
    if json:
        put_json([{"kind": kind, "name": name, "summary": summary} for kind, name, summary in rows])
        return
    for kind, name, summary in rows:
        put(f"{kind:<10}{name:<12}{summary}")


def _summary(kind: str, name: str) -> str:
    try:
        return load(kind, name).summary
    except PluginError as error:
        return f"can't be used: {error}"
