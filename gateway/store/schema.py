"""Which form the stored data has, so that no gateway works on what it would misread.

Two versions of the gateway run side by side during an upgrade. Whatever only adds (a field, a key, a kind of entry) is
left alone by those that don't know it, and changes no schema. What they would misread raises `SCHEMA`: the new version
reads both forms and writes the old one, until an operator says that no old one runs (`oldest` is raised then, and old
ones refuse to work here).
"""

from __future__ import annotations

from contextlib import suppress

from gateway.core.finding import Finding, Gravity, Matter
from gateway.ports.state import StoreUnavailable
from gateway.store.keys import SCHEMA_KEY
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

SCHEMA = 1
"""The form that this gateway reads and writes; `tests/store/dumps` has data of each."""

_AGREE = Script.read("agree_on_schema")


class SchemaTooNew(Exception):
    """The store is of a newer gateway, which this one would misread. `str()` says what to do."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(str(finding))


async def agree_on_schema(link: Link) -> None:
    """See whether this gateway may work on this store, and leave word of it. Raises `SchemaTooNew`; then the link asks
    nothing any more. Raises `StoreUnavailable` where that can't be known now."""
    answer = await link.call(_AGREE, [SCHEMA_KEY], [SCHEMA])
    if not isinstance(answer, list) or len(answer) != 2:
        raise StoreUnavailable(f"{link.name} answers what no Redis or Valkey would")
    outcome, newest = answer
    if outcome != b"agreed":
        error = SchemaTooNew(_too_new(link.name, newest))
        link.refuse(str(error))
        raise error


async def agree_if_it_answers(link: Link) -> None:
    """The same where the store is there; where it is not, nothing can be harmed yet. Raises `SchemaTooNew`."""
    with suppress(StoreUnavailable):
        await agree_on_schema(link)


async def schema_findings(link: Link) -> tuple[Finding, ...]:
    """What an operator should know of it. Changes nothing; says nothing of a store that does not answer."""
    try:
        ((newest, oldest),) = await link.ask(("HMGET", SCHEMA_KEY, "newest", "oldest"))
    except StoreUnavailable:
        return ()
    if int(oldest or 1) > SCHEMA:
        return (_too_new(link.name, int(newest)),)
    if newest is None:
        return (Finding(Gravity.GOOD, Matter.STORE_SCHEMA, link.name, "no gateway has worked here yet"),)
    text = f"its data is of schema {int(newest)}, which this gateway can work with"
    return (Finding(Gravity.GOOD, Matter.STORE_SCHEMA, link.name, text),)


def _too_new(name: str, newest: int) -> Finding:
    text = f"its data is of schema {newest}, of a newer gateway, and this one understands no more than schema {SCHEMA}"
    mend = "start the newer version, or give this one another store"
    return Finding(Gravity.FAULT, Matter.STORE_SCHEMA, name, text, mend)
