"""Payments that come signed with a request, in the store."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.quantity import DAY, HOUR
from gateway.ports.attempts import Attempt, AttemptState, Sale
from gateway.store.durability import Durability
from gateway.store.keys import attempt_key
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

REMEMBERED_MS = 366 * DAY
"""How long it is known what came of a payment. Nobody signs one that holds for longer; one in doubt stays for ever."""
PAUSE_MS = 60_000
"""How long one in doubt is let lie before anybody asks again."""

_BEGIN = Script.read("attempt_begin")
_SETTLING = Script.read("attempt_settling")
_AGAIN = Script.read("attempt_again")
_END = Script.read("attempt_end")
_DROP = Script.read("attempt_drop")


class StoredAttempts:
    """The port `Attempts`."""

    def __init__(self, link: Link, durability: Durability) -> None:
        self._link, self._durability = link, durability

    async def begin(self, key: str, holder: str, digest: str, lease_ms: int, now: int = 0) -> Attempt:
        """See the port."""
        state, fields = await self._link.call(_BEGIN, [attempt_key(key)], [now, holder, digest, lease_ms, HOUR])
        return _read(state, fields)

    async def get(self, key: str) -> Attempt | None:
        """See the port."""
        [fields] = await self._link.ask(("HGETALL", attempt_key(key)))
        flat = [part for pair in fields.items() for part in pair] if isinstance(fields, dict) else list(fields)
        found = dict(zip(flat[::2], flat[1::2], strict=True))
        return _read(found[b"state"], flat) if found else None

    async def settling(self, key: str, holder: str, sale: Sale, lease_ms: int, now: int = 0) -> bool:
        """See the port."""
        args: list[Argument] = [now, holder, lease_ms, "hold", sale.hold, "owner", sale.owner]
        args += ["checkout", sale.checkout, "amount", sale.amount, "request", sale.request]
        return bool(await self._durability.call(_SETTLING, [attempt_key(key)], args) == b"settling")

    async def again(self, key: str, holder: str, lease_ms: int, pause_ms: int = PAUSE_MS, now: int = 0) -> bool:
        """See the port."""
        args: list[Argument] = [now, holder, lease_ms, pause_ms]
        return bool(await self._durability.call(_AGAIN, [attempt_key(key)], args) == b"settling")

    async def end(
        self, key: str, holder: str, state: AttemptState, transaction: str = "", reason: str = "", now: int = 0
    ) -> AttemptState | None:
        """See the port."""
        args: list[Argument] = [now, holder, state.value, transaction, reason, PAUSE_MS, REMEMBERED_MS]
        stands = await self._durability.call(_END, [attempt_key(key)], args)
        if stands is None:
            return None
        return _state(stands)

    async def drop(self, key: str, holder: str, unheard: bool = False, now: int = 0) -> bool:
        """See the port."""
        return bool(await self._link.call(_DROP, [attempt_key(key)], [now, holder, int(unheard)]) == b"dropped")


def _state(written: bytes) -> AttemptState:
    """One that is claimed, or being settled, is somebody's: whoever has it will say."""
    return AttemptState.BUSY if written in (b"settling", b"verifying") else AttemptState(written.decode())


def _read(state: bytes, fields: Sequence[bytes]) -> Attempt:
    found = dict(zip(fields[::2], fields[1::2], strict=True))

    def text(name: bytes) -> str:
        return found.get(name, b"").decode("utf-8", "surrogatepass")

    return Attempt(
        state=_state(state),
        hold=text(b"hold"),
        owner=text(b"owner"),
        checkout=text(b"checkout"),
        amount=int(text(b"amount") or "0"),
        transaction=text(b"transaction"),
        reason=text(b"reason"),
        request=text(b"request"),
    )
