"""Keep a result back, show a part of it, and give it out again: the same bytes, status and headers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.access.describe import Description, describe, kept_headers
from gateway.access.frames import Frames, NewHold, NoRoom
from gateway.access.hold_id import HoldIds, Ownership
from gateway.access.outside import Outside
from gateway.access.seal import OVERHEAD_BYTES, SALT_BYTES, Damaged, ResultHead, SealKeys
from gateway.access.teasers import WHOLE_BODY_LIMIT, Teasers, encode_teaser, undo_coding
from gateway.core.rule import HoldLimits
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.state import (
    HoldBeginOutcome,
    HoldRecord,
    Holds,
    ReleaseOutcome,
)
from gateway.ports.storage import StorageUnavailable
from gateway.ports.teaser import SAMPLE_BYTES, ResultSample
from gateway.ports.upstream import Answer


class KeepOutcome(StrEnum):
    """What became of keeping a result."""

    KEPT = "kept"
    TOO_LARGE = "too-large"
    ENDLESS = "endless"
    LIMIT_REACHED = "limit-reached"


@dataclass(frozen=True, slots=True)
class Kept:
    """The outcome, and the hold when there is one."""

    outcome: KeepOutcome
    record: HoldRecord | None = None


class OpenRefusal(StrEnum):
    """Why a held result is not given out."""

    UNKNOWN = "unknown"
    ANOTHERS = "another's"
    EXPIRED = "expired"
    UNPAID = "unpaid"


@dataclass(frozen=True, slots=True)
class OpenedHold:
    """A held result on its way out."""

    record: HoldRecord
    head: ResultHead
    first: bool
    """Whether it is given out for the first time."""
    body: AsyncIterator[bytes]
    """The body; raises `Damaged` when a part is missing or altered."""


class Keeper:
    """Keeps results back for the subjects of one config."""

    def __init__(
        self,
        holds: Holds,
        ids: HoldIds,
        keys: SealKeys,
        teasers: Teasers,
        limits: HoldLimits,
        now: Callable[[], int],
        outside: Outside | None = None,
    ) -> None:
        self._holds, self._ids, self._keys = holds, ids, keys
        self._teasers, self._limits, self._now = teasers, limits, now
        self._outside = outside

    async def keep(self, subject: Subject, route: str, target: str, fingerprint: str, answer: Answer) -> Kept:
        """Read the answer to its end and keep it. Raises what reading and storing raise; then nothing is kept.

        The caps are enforced as the bytes come: what is over a cap is never held in memory.
        """
        limits, now = self._limits, self._now()
        described = describe(answer.headers, target)
        if answer.length is not None and answer.length > limits.max_size:
            return Kept(KeepOutcome.TOO_LARGE)
        if described.media_type == "text/event-stream":
            return Kept(KeepOutcome.ENDLESS)
        new = NewHold(self._holds, self._outside, subject, self._ids.make(subject.key), limits, now, answer.length)
        kept = False
        try:
            if not await new.reserve(answer.length or 0):
                return Kept(KeepOutcome.LIMIT_REACHED)
            outcome = await self._keep_in(new, route, described, fingerprint, answer)
            kept = outcome.outcome is KeepOutcome.KEPT
            return outcome
        finally:
            if not kept:
                # Shielded: also when the client left meanwhile, even before the store had answered that there is room,
                # the reservation must not block the next result.
                await asyncio.shield(new.discard())

    async def _keep_in(
        self, new: NewHold, route: str, described: Description, fingerprint: str, answer: Answer
    ) -> Kept:
        limits = self._limits
        # In the store alone it goes with its record anyway, and earlier versions, which know of no salt, open it, too.
        salt = secrets.token_bytes(SALT_BYTES) if self._outside is not None else b""
        sealer = self._keys.sealer(new.id, new.subject.key, salt)
        frames = Frames(new, sealer)
        whole = self._teasers.wants_whole(described.teased_as) and (answer.length or 0) <= WHOLE_BODY_LIMIT
        sample = bytearray()
        try:
            async with asyncio.timeout(limits.max_wait_ms / 1000):
                while piece := await answer.read():
                    if frames.size + len(piece) > limits.max_size:
                        return Kept(KeepOutcome.TOO_LARGE)
                    sample += piece[: max((WHOLE_BODY_LIMIT if whole else SAMPLE_BYTES) - len(sample), 0)]
                    await frames.add(piece)
                    if whole and frames.size > WHOLE_BODY_LIMIT:
                        # It can't be shown whole any more: let go of what nobody will look at.
                        whole = False
                        del sample[SAMPLE_BYTES:]
            await frames.finish()
        except TimeoutError:
            return Kept(KeepOutcome.ENDLESS)
        except NoRoom:
            return Kept(KeepOutcome.LIMIT_REACHED)
        record = HoldRecord(
            id=new.id,
            route=route,
            created=self._now(),
            expires=new.expires,
            size=frames.size,
            chunks=frames.count,
            status=answer.status,
            media_type=described.media_type,
            filename=described.filename,
            teaser=await self._teaser(described, bytes(sample), frames.size),
            fingerprint=fingerprint,
            sealed_head=sealer.seal_head(ResultHead(answer.status, kept_headers(answer.headers))),
            outside=new.outside_chunks,
            outside_at=new.outside_at,
            sealed_with=self._keys.current,
            salt=salt,
        )
        if await self._holds.commit(new.subject, record, limits.max_total) is HoldBeginOutcome.LIMIT_REACHED:
            return Kept(KeepOutcome.LIMIT_REACHED)
        return Kept(KeepOutcome.KEPT, record)

    async def preview(self, target: str, answer: Answer) -> HoldRecord:
        """Read as much as a teaser needs and keep nothing. The record has no id."""
        described = describe(answer.headers, target)
        limit = WHOLE_BODY_LIMIT if self._teasers.wants_whole(described.teased_as) else SAMPLE_BYTES
        sample, size = bytearray(), 0
        try:
            async with asyncio.timeout(self._limits.max_wait_ms / 1000):
                while len(sample) < limit and (piece := await answer.read()):
                    sample += piece[: limit - len(sample)]
                    size += len(piece)
        except TimeoutError:
            pass
        size = answer.length if answer.length is not None else size
        teaser = await self._teaser(described, bytes(sample), size)
        return HoldRecord(
            id="",
            route="",
            created=self._now(),
            expires=0,
            size=size,
            chunks=0,
            status=answer.status,
            media_type=described.media_type,
            filename=described.filename,
            teaser=teaser,
            fingerprint="",
            sealed_head=b"",
        )

    async def find(self, subject: Subject, fingerprint: str) -> HoldRecord | None:
        """The result of the same request, when it is already held and still fresh."""
        if not fingerprint or not self._limits.reuse_ms:
            return None
        return await self._holds.find(subject, fingerprint, self._now() - self._limits.reuse_ms)

    async def waiting(self, subject: Subject) -> list[HoldRecord]:
        """What is kept for a subject and not yet given out, newest first; without what no key of the config opens."""
        held = await self._holds.all(subject)
        return [each for each in held if not each.released and self._ids.read(each.id, subject.key) is Ownership.MINE]

    async def look(self, subject: Subject, hold: str) -> HoldRecord | OpenRefusal:
        """What is known of a hold, without giving it out."""
        match self._ids.read(hold, subject.key):
            case Ownership.UNKNOWN:
                return OpenRefusal.UNKNOWN
            case Ownership.ANOTHERS:
                return await self._look_at_moved(subject, hold)
        return await self._holds.get(subject, hold) or OpenRefusal.EXPIRED

    async def _look_at_moved(self, subject: Subject, hold: str) -> HoldRecord | OpenRefusal:
        """A hold that was another's until that one was merged into this subject."""
        record = await self._holds.get(subject, hold)
        if record is None or self._ids.read(hold, record.owner) is not Ownership.MINE:
            return OpenRefusal.ANOTHERS
        return record

    async def head(self, subject: Subject, hold: str) -> tuple[HoldRecord, ResultHead] | OpenRefusal:
        """The head of a held result, paid for or not, without giving it out. Raises `Damaged` when it does not open."""
        record = await self.look(subject, hold)
        if isinstance(record, OpenRefusal):
            return record
        return record, self._keys.opener(record, record.owner or subject.key).open_head(record.sealed_head)

    async def open(
        self, subject: Subject, hold: str, credits: Callable[[str], bool] = lambda route: True
    ) -> OpenedHold | OpenRefusal:
        """Give a held result to its subject, if it is paid for; `credits` says whether results paid for by number
        count on a route.

        Raises `Damaged` when its head does not open or a part is missing, or, before it costs a result that was paid
        for by number, when any part does not open. Nothing is taken or marked then, nor when its storage is away
        (`StorageUnavailable`).
        """
        found = await self.head(subject, hold)
        if isinstance(found, OpenRefusal):
            return found
        record, head = found
        await self._must_be_whole(subject, record)
        outcome = await self._holds.release(subject, hold, credits=False)
        if outcome is ReleaseOutcome.UNPAID and credits(record.route):
            async for _ in self._body(subject, record):
                pass  # it is read whole, and raises where it is damaged
            outcome = await self._holds.release(subject, hold)
        match outcome:
            case ReleaseOutcome.UNPAID:
                return OpenRefusal.UNPAID
            case ReleaseOutcome.GONE:
                return OpenRefusal.EXPIRED
        return OpenedHold(record, head, not record.released, self._body(subject, record))

    async def _must_be_whole(self, subject: Subject, record: HoldRecord) -> None:
        """Raises `Damaged` where a chunk is missing or has another length."""
        inside = record.chunks - record.outside
        sizes = dict(enumerate(await self._holds.sizes(subject, record.id, inside)))
        if record.outside:
            sizes |= await self._storage(record).sizes(record.outside_at)
        missing = [number for number in range(record.chunks) if not sizes.get(number)]
        if missing:
            raise Damaged(f"chunk {missing[0]} of a held result is missing")
        if sum(sizes.values()) != record.size + OVERHEAD_BYTES * record.chunks:
            raise Damaged("chunks of a held result have another length than they were kept with")

    async def _body(self, subject: Subject, record: HoldRecord) -> AsyncIterator[bytes]:
        sealer, inside = self._keys.opener(record, record.owner or subject.key), record.chunks - record.outside
        for number in range(record.chunks):
            if number < inside:
                sealed = await self._holds.chunk(subject, record.id, number)
            else:
                sealed = await self._storage(record).read(record.outside_at, number)
            yield sealer.open(number, number == record.chunks - 1, sealed or b"")

    def _storage(self, record: HoldRecord) -> Outside:
        if self._outside is None:
            storage = record.outside_at.partition("/")[0]
            raise StorageUnavailable(
                f"it is kept in the storage {storage!r}, and the config names none: name it again in `holds.storage`"
            )
        return self._outside

    async def _teaser(self, described: Description, sample: bytes, size: int) -> bytes:
        plain = undo_coding(described.coding, sample, len(sample) == size)
        body, complete = plain if plain is not None else (b"", False)
        return encode_teaser(
            await self._teasers.make(
                ResultSample(described.teased_as, described.charset, described.filename, size, body, complete)
            )
        )


def is_covered(record: HoldRecord, state: SubjectState, now: int) -> bool:
    """Whether a held result is its subject's without paying or spending: paid for, given out before, or within a trial
    or a period that runs."""
    return record.paid or bool(record.released) or max(state.entitled_until, state.trial_ends) > now
