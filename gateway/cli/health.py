"""`paywall health`: for the health check of a container."""

from __future__ import annotations

import http.client
import json
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.output import CommandFailed, say
from gateway.settings.address import Origin, read_prefix

_SECONDS = 3
_CONTENT_LIMIT = 65_536


def health(
    url: Annotated[str, Parameter(help="The gateway's address.")] = "http://127.0.0.1:8080",
    /,
    *,
    prefix: Annotated[str, Parameter(help="The prefix of its own pages.")] = "/_paywall",
) -> None:
    """Ask a running gateway whether it is ready. Exit 0 when it is."""
    page = _checked(prefix) + "/health/ready"
    connection = _connection(url)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        content = answer.read(_CONTENT_LIMIT)
    except OSError as error:
        raise CommandFailed(f"{url} does not answer: {error.strerror or error}") from None
    except http.client.HTTPException:
        raise CommandFailed(f"{url} does not answer in HTTP: look at the address") from None
    finally:
        connection.close()
    reason = answer.getheader("Paywall-Reason")
    if reason is None:
        # Whoever stands there instead of the gateway, the application behind it too, may answer anything with 200.
        raise CommandFailed(
            f"{url} answers, but it is not the gateway: look at the address, and give the `prefix` of its config "
            "with --prefix"
        )
    if answer.status != 200:
        raise CommandFailed(f"{url} is not ready: {_store_problem(content) or f'{answer.status} {reason}'}")
    say(f"{url} is ready")


def _checked(prefix: str) -> str:
    try:
        return read_prefix(prefix)
    except ValueError as error:
        raise CommandFailed(f"--prefix: {error}", 2) from None


def _connection(url: str) -> http.client.HTTPConnection:
    try:
        origin = Origin.parse(url)
    except ValueError:
        origin = None
    if origin is None or origin.scheme == "unix":
        raise CommandFailed(f"{url} is not the address of a gateway: write it like http://127.0.0.1:8080", 2)
    kind = http.client.HTTPSConnection if origin.scheme == "https" else http.client.HTTPConnection
    return kind(origin.host, origin.port, timeout=_SECONDS)


def _store_problem(content: bytes) -> str:
    try:
        said = json.loads(content)
    except ValueError:
        return ""
    return str(said.get("store", "")) if isinstance(said, dict) else ""
