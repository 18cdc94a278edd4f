"""What an application is told of a request that has no body."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def make_scope(protocol: HttpToolsProtocol, method: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> Any:
    """An ASGI scope as uvicorn makes it."""
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": protocol.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "server": protocol.server,
        "client": protocol.client,
        "scheme": protocol.scheme,
        "root_path": "",
        "method": method,
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "state": protocol.app_state.copy(),
    }
