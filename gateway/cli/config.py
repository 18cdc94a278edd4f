"""`paywall init`, `paywall check` and `paywall schema`: the config file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json, say
from gateway.extend.catalogue import settings_models
from gateway.settings.init import commented_config
from gateway.settings.json_schema import json_schema
from gateway.wiring.plugins import KINDS


def init(
    *,
    upstream: Annotated[str, Parameter(help="The application, such as http://localhost:3000.", metavar="URL")],
    file: Annotated[
        str, Parameter(help="Where to write it; `-` for standard output.", metavar="PATH", allow_leading_hyphen=True)
    ] = "paywall.yaml",
    force: Annotated[bool, Parameter(help="Write over a file that is there.", negative="")] = False,
) -> None:
    """Write a commented config for an application, ready to run."""
    if file.startswith("-") and file != "-":
        raise CommandFailed(f"--file needs a name, and {file} looks like an option: a file of that name is ./{file}", 2)
    try:
        text = commented_config(upstream)
    except ValueError as error:
        raise CommandFailed(f"--upstream: {error}", 2) from None
    if file == "-":
        put(text.rstrip("\n"))
        return
    try:
        with Path(file).open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise CommandFailed(f"{file} is there already: give another --file, or --force to write over it") from None
    except OSError as error:
        raise CommandFailed(f"{file} can't be written: {error.strerror}") from None
    say(f"wrote {file}; next: paywall check {file}, then paywall run --config {file}")


def check(file: Annotated[Path, Parameter(help="The config file.")], /) -> None:
    """Say everything that is wrong with a config: file, line, key, what is allowed. Exit 0 when it can be used."""
    loaded = load_config(file, warnings=True)
    routes, plans = len(loaded.settings.routes), len(loaded.settings.plans)
    say(f"{file} can be used: {_counted(routes, 'route')}, {_counted(plans, 'plan')}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def schema() -> None:
    """Print the JSON Schema of the config, for editors, with the settings of every installed plugin."""
    put_json(json_schema({kind: settings_models(group) for kind, group in KINDS.items()}))
