"""`paywall holds …`: results that are kept back, all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from gateway.access.sweep import NotSwept, Sweeper, Swept
from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json, say
from gateway.cli.store_access import with_store
from gateway.core.keyring import Keyring
from gateway.core.quantity import format_size
from gateway.ports.state import StoreUnavailable
from gateway.ports.storage import Storage
from gateway.settings.load import Loaded
from gateway.settings.problem import one_line
from gateway.store.connection import Store
from gateway.store.undelivered import Undelivered, undelivered
from gateway.wiring.assemble import wall_clock
from gateway.wiring.plugins import make_storage
from gateway.wiring.secret import SecretError, find_secret

app = App(name="holds", help="Results that are kept back: those nobody came for, and the storage of the large ones.")

File = Annotated[Path, Parameter(help="The config file.")]
_SAID_EVERY_SECONDS = 2.0
T = TypeVar("T")


@app.command(name="list")
def list_undelivered(
    file: File, /, *, json: Annotated[bool, Parameter(help="For programs.", negative="")] = False
) -> None:
    """Results that are paid for and were never taken, the oldest first. They are kept until somebody comes."""

    async def find(store: Store) -> list[Undelivered]:
        return sorted([each async for each in undelivered(store.link)], key=lambda each: each.record.created)

    found = with_store(load_config(file).settings, find)
    if json:
        put_json([_as_json(each) for each in found])
    else:
        for each in found:
            record = each.record
            size, who = format_size(record.size), one_line(each.subject)
            put(f"{_day(record.created)}  {size:>10}  {who}  {record.route}  {record.id}")
    total = sum(each.record.size for each in found)
    since = f", the oldest of {_day(found[0].record.created)}" if found else ""
    say(f"{len(found)} paid for and not taken, {format_size(total)}{since}")


@app.command
def sweep(
    file: File,
    /,
    *,
    dry_run: Annotated[bool, Parameter(help="Say what would go, and remove nothing.", negative="")] = False,
    trust_store: Annotated[
        bool,
        Parameter(help="The store was put back from a backup, and what it knows is all there is.", negative=""),
    ] = False,
) -> None:
    """Remove from the storage of large results what no hold needs any more.

    The gateway does so by itself every six hours. What is paid for and was not taken is never removed. It can be
    stopped at any moment.
    """
    loaded = load_config(file)
    said_at = time.monotonic()

    def tell(swept: Swept) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _SAID_EVERY_SECONDS:
            said_at = time.monotonic()
            say(f"{swept.looked_at} looked at, {swept.removed} removed so far")

    async def work(store: Store, storage: Storage) -> Swept:
        sweeper = Sweeper(storage, store.stock, wall_clock)
        return await sweeper.sweep(remove=not dry_run, trust_store=trust_store, tell=tell)

    try:
        swept = with_store(loaded.settings, lambda store: _with_storage(loaded, lambda storage: work(store, storage)))
    except NotSwept as error:
        raise CommandFailed(f"{error}; {error.mend} go on with --trust-store") from None
    what = "would be removed" if dry_run else "removed"
    say(
        f"{swept.removed} of {swept.looked_at} results {what}, {format_size(swept.bytes_removed)}; "
        f"{format_size(swept.bytes_left)} {'would be left' if dry_run else 'are left'}"
    )


async def _with_storage(loaded: Loaded, work: Callable[[Storage], Awaitable[T]]) -> T:
    try:
        keyring = Keyring(find_secret(loaded.settings))
        storage = make_storage(loaded, keyring, wall_clock, say)
        if storage is None:
            raise CommandFailed("all results are in the store: there is no `holds.storage` in the config to sweep")
        try:
            await storage.start()
            return await work(storage)
        finally:
            await storage.stop()
    except (SecretError, StoreUnavailable, RuntimeError, ValueError) as error:
        raise CommandFailed(str(error)) from None


async def remove_outside(loaded: Loaded, places: list[str]) -> None:
    """Remove these results from the storage, where they are in that of the config. Raises `CommandFailed`."""

    async def remove(storage: Storage) -> None:
        await asyncio.gather(*(storage.remove(place.partition("/")[2]) for place in places))

    await _with_storage(loaded, remove)


def _as_json(each: Undelivered) -> dict[str, object]:
    record = each.record
    return {
        "subject": each.subject,
        "hold": record.id,
        "route": record.route,
        "created": record.created,
        "size": record.size,
        "media_type": record.media_type,
        "filename": record.filename,
        "outside_at": record.outside_at,
    }


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%d")
