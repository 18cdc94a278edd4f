"""`paywall health`: for the health check of a container."""

from __future__ import annotations

import http.client
import json
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from gateway.cli.output import CommandFailed, say


def health(
    url: Annotated[str, Parameter(help="The gateway's address.")] = "http://127.0.0.1:8080",
    /,
    *,
    prefix: Annotated[str, Parameter(help="The prefix of its own pages.")] = "/_paywall",
) -> None:
    """Ask a running gateway whether it is ready. Exit 0 when it is."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=3)
    try:
        connection.request("GET", f"{prefix}/health/ready")
        answer = connection.getresponse()
        content = answer.read()
    except OSError as error:
        raise CommandFailed(f"{url} does not answer: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        said = json.loads(content) if content.startswith(b"{") else {}
        raise CommandFailed(f"{url} is not ready: {said.get('store', answer.status)}")
    say(f"{url} is ready")
