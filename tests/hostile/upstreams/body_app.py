"""The hostile test's application that reads a body in every way that some application does, and acts on any of them.

`/act` yields the result where a field `kind` says `report`, `/graphql` where `export` is asked for or is the id of what
is, `/rpc` where the tool `export` is called.
"""

from __future__ import annotations

import base64
import email
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.access.readers import everything_read, said

from .beacon import report

_CHARSET = re.compile(r"charset=([\w-]+)")
_RESULT = re.compile(r"/api/result/[^/]+")
_WORD = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    data, more = b"", True
    while more:
        event = await receive()
        data, more = data + event.get("body", b""), event.get("more_body", False)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    nonce = dict(headers).get("x-nonce", "-")
    target = scope["raw_path"].decode("latin-1")
    found = bool(_RESULT.fullmatch(target)) or _acts(target, headers, data, scope["query_string"].decode("latin-1"))
    if found:
        report(nonce, target)
    body = f"{'MARKER-RESULT' if found else f'OPEN {target}'} nonce={nonce}\n".encode()
    length = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


def _acts(target: str, headers: list[tuple[str, str]], data: bytes, query: str) -> bool:
    types = [value for name, value in headers if name == "content-type"]
    codings = [value for name, value in headers if name == "content-encoding"]
    found = list(_read(types, codings, data, query))
    if target == "/act":
        return any(said(each, "kind").partition("\0")[0].casefold() == "report" for each in found)
    if target == "/graphql":
        whole = [data.decode("utf-8", "ignore")] if types == ["application/graphql"] else []
        return any("export" in _WORD.findall(text) for text in (*whole, *map(json.dumps, found)))
    return target == "/rpc" and any(each.get("method") == "tools/call" and _names_tool(each) for each in found)


def _names_tool(call: dict[str, Any]) -> bool:
    """In an object of parameters, or flat, as some frameworks write what is nested."""
    inner = call.get("params")
    return "export" in (call.get("params.name"), inner.get("name") if isinstance(inner, dict) else None)


def _read(types: list[str], codings: list[str], data: bytes, query: str) -> Iterator[dict[str, Any]]:
    """Whatever some reader finds. The charset is believed, what is no character of it is left out, and a name is bound
    to an outer one where it has one, as in ASP.NET."""
    plain = base64.b64decode(data) if "base64" in codings else data
    for content_type in types or [""]:
        yield from _parts(content_type, plain)
        charset = _CHARSET.search(content_type)
        text = plain.decode(charset[1] if charset else "utf-8", "ignore")
        for found in everything_read(content_type.partition(";")[0], "", text.encode(), query):
            yield found
            yield {name.rpartition(".")[2]: value for name, value in found.items()}


def _parts(content_type: str, data: bytes) -> Iterator[dict[str, Any]]:
    """The fields of a multipart form, read as an e-mail is."""
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data)
    if message.is_multipart():
        for part in message.walk():
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                yield {str(part.get_param("name", header="content-disposition")): content.decode()}
