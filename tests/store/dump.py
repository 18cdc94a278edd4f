"""All that a store holds, as text that can be kept; `python -m tests.store.dump` writes that of the schema of today.

Once a version was released its dump stays as it is: later ones must go on with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from gateway.store.connection import open_store
from gateway.store.embedded.server import EmbeddedStore
from gateway.store.schema import SCHEMA
from gateway.store.transport.link import Link
from tests.store.lives import NAMES, live, who

FOLDER = Path(__file__).with_name("dumps")
_READ = {
    b"hash": ("HGETALL",),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    b"list": ("LRANGE", 0, -1),
    b"string": ("GET",),
}
_MINUTE = 60_000


async def dump(link: Link) -> dict[str, Any]:
    """Every key with its type, its content, and about how many minutes it has left (-1: for ever)."""
    found = {}
    for node in await link.look():
        (names,) = await node.ask(("KEYS", "*"))
        for name in sorted(names):
            kind, left = await node.ask(("TYPE", name), ("PTTL", name))
            head, *rest = _READ[kind]
            (content,) = await node.ask((head, name, *rest))
            minutes = left if left < 0 else round(left / _MINUTE)
            found[_text(name)] = {"type": _text(kind), "minutes": minutes, "content": _plain(kind, content)}
    return dict(sorted(found.items()))


async def load(link: Link, dumped: dict[str, Any]) -> None:
    """Write it into a store."""
    for name, key in dumped.items():
        content = [_bytes(each) for each in key["content"]]
        match key["type"]:
            case "hash":
                await link.ask(("HSET", name, *content))
            case "zset":
                scored = zip(content[1::2], content[::2], strict=True)
                await link.ask(("ZADD", name, *(part for pair in scored for part in pair)))
            case "list":
                await link.ask(("RPUSH", name, *content))
            case "string":
                await link.ask(("SET", name, content[0]))
        if key["minutes"] >= 0:
            await link.ask(("PEXPIRE", name, key["minutes"] * _MINUTE))


async def made(url: str) -> dict[str, Any]:
    """What the verbs of today make of every life, and what is read of it."""
    store = open_store(url)
    try:
        await store.link.ask(("FLUSHALL",))
        await live(store)
        exports = {name: await store.operations.export(who(name)) for name in NAMES}
        return {"keys": await dump(store.link), "exports": exports}
    finally:
        await store.stop()


def stored(schema: int) -> dict[str, Any]:
    """The dump of this schema."""
    read: dict[str, Any] = json.loads((FOLDER / f"{schema}.json").read_text("utf-8"))
    return read


def _plain(kind: bytes, content: Any) -> list[str]:
    """The content in an order that does not depend on the server."""
    match kind:
        case b"hash":
            values = [part for pair in sorted(content.items()) for part in pair]
        case b"zset":
            values = [part for member, score in content for part in (member, b"%d" % score)]
        case b"list":  # JSON objects
            values = [json.dumps(json.loads(value), sort_keys=True).encode() for value in content]
        case _:
            values = [content]
    return [_text(value) for value in values]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def main() -> None:
    """Write the dump of today."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder), lambda line: None) as url:
        written = asyncio.run(made(url))
    file = FOLDER / f"{SCHEMA}.json"
    file.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    print(f"{file}: {len(written['keys'])} keys", file=sys.stderr)


if __name__ == "__main__":
    main()
