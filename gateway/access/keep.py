"""Keep a result back, show a part of it, and give it out again: the same bytes, status and headers."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from gateway.access.hold_id import HoldIds, Ownership
from gateway.access.seal import ResultHead, Sealer
from gateway.access.teasers import WHOLE_BODY_LIMIT, Teasers, encode_teaser, undo_coding
from gateway.core.rule import HoldLimits
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.state import HoldBeginOutcome, HoldRecord, Holds, ReleaseOutcome
from gateway.ports.teaser import SAMPLE_BYTES, ResultSample
from gateway.ports.upstream import Answer, Headers

FRAME_BYTES = 512 * 1024


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


@dataclass(frozen=True, slots=True)
class Description:
    """What the head of an answer says about the result."""

    media_type: str
    charset: str
    filename: str
    coding: str

    @property
    def teased_as(self) -> str:
        """The media type to make the teaser by: where the answer says no more than "some text" or "some bytes", the
        name of the file says more."""
        if self.media_type not in ("text/plain", "application/octet-stream"):
            return self.media_type
        return mimetypes.guess_type(self.filename, strict=False)[0] or self.media_type


class Keeper:
    """Keeps results back for the subjects of one config."""

    def __init__(
        self,
        holds: Holds,
        ids: HoldIds,
        key: bytes,
        teasers: Teasers,
        limits: HoldLimits,
        now: Callable[[], int],
    ) -> None:
        self._holds, self._ids, self._key = holds, ids, key
        self._teasers, self._limits, self._now = teasers, limits, now

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
        hold, expires = self._ids.make(subject.key), now + limits.ttl_ms
        kept = False
        try:
            room = await self._holds.begin(subject, hold, limits.max_count, limits.max_total)
            if room is HoldBeginOutcome.LIMIT_REACHED:
                return Kept(KeepOutcome.LIMIT_REACHED)
            outcome = await self._keep_in(subject, hold, expires, route, described, fingerprint, answer)
            kept = outcome.outcome is KeepOutcome.KEPT
            return outcome
        finally:
            if not kept:
                # Shielded: also when the client left meanwhile, even before the store had answered that there is room,
                # the reservation must not block the next result.
                await asyncio.shield(self._holds.discard(subject, hold))

    async def _keep_in(
        self,
        subject: Subject,
        hold: str,
        expires: int,
        route: str,
        described: Description,
        fingerprint: str,
        answer: Answer,
    ) -> Kept:
        frames = _Frames(self._holds, Sealer(self._key, hold, subject.key), subject, hold)
        whole = self._teasers.wants_whole(described.teased_as)
        sample = bytearray()
        try:
            async with asyncio.timeout(self._limits.max_wait_ms / 1000):
                while piece := await answer.read():
                    if frames.size + len(piece) > self._limits.max_size:
                        return Kept(KeepOutcome.TOO_LARGE)
                    sample += piece[: (WHOLE_BODY_LIMIT if whole else SAMPLE_BYTES) - len(sample)]
                    await frames.add(piece)
        except TimeoutError:
            return Kept(KeepOutcome.ENDLESS)
        await frames.finish()
        record = HoldRecord(
            id=hold,
            route=route,
            created=self._now(),
            expires=expires,
            size=frames.size,
            chunks=frames.count,
            status=answer.status,
            media_type=described.media_type,
            filename=described.filename,
            teaser=await self._teaser(described, bytes(sample), frames.size),
            fingerprint=fingerprint,
            sealed_head=frames.sealer.seal_head(ResultHead(answer.status, kept_headers(answer.headers))),
        )
        if await self._holds.commit(subject, record, self._limits.max_total) is HoldBeginOutcome.LIMIT_REACHED:
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
        """What is kept for a subject and not yet given out, newest first."""
        return [record for record in await self._holds.all(subject) if not record.released]

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
        return record, Sealer(self._key, hold, record.owner or subject.key).open_head(record.sealed_head)

    async def open(
        self, subject: Subject, hold: str, credits: Callable[[str], bool] = lambda route: True
    ) -> OpenedHold | OpenRefusal:
        """Give a held result to its subject, if it is paid for; `credits` says whether results paid for by number
        count on a route. Raises `Damaged` when its head does not open."""
        found = await self.head(subject, hold)
        if isinstance(found, OpenRefusal):
            return found
        record, head = found
        match await self._holds.release(subject, hold, credits(record.route)):
            case ReleaseOutcome.UNPAID:
                return OpenRefusal.UNPAID
            case ReleaseOutcome.GONE:
                return OpenRefusal.EXPIRED
        return OpenedHold(record, head, not record.released, self._body(subject, record))

    async def _body(self, subject: Subject, record: HoldRecord) -> AsyncIterator[bytes]:
        sealer = Sealer(self._key, record.id, record.owner or subject.key)
        for number in range(record.chunks):
            sealed = await self._holds.chunk(subject, record.id, number)
            yield sealer.open(number, number == record.chunks - 1, sealed or b"")

    async def _teaser(self, described: Description, sample: bytes, size: int) -> bytes:
        plain = undo_coding(described.coding, sample, len(sample) == size)
        body, complete = plain if plain is not None else (b"", False)
        return encode_teaser(
            await self._teasers.make(
                ResultSample(described.teased_as, described.charset, described.filename, size, body, complete)
            )
        )


class _Frames:
    """Cuts a body into frames, seals them and stores them; one frame at most is in memory."""

    def __init__(self, holds: Holds, sealer: Sealer, subject: Subject, hold: str) -> None:
        self._holds, self._subject, self._hold = holds, subject, hold
        self._pending = bytearray()
        self.sealer = sealer
        self.size = 0
        self.count = 0

    async def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._pending += piece
        # Strictly more than a frame, so that something is left to be sealed as the last.
        while len(self._pending) > FRAME_BYTES:
            frame = bytes(self._pending[:FRAME_BYTES])
            del self._pending[:FRAME_BYTES]
            await self._store(frame, last=False)

    async def finish(self) -> None:
        await self._store(bytes(self._pending), last=True)

    async def _store(self, frame: bytes, last: bool) -> None:
        await self._holds.append(self._subject, self._hold, self.count, self.sealer.seal(self.count, last, frame))
        self.count += 1


def is_covered(record: HoldRecord, state: SubjectState, now: int) -> bool:
    """Whether a held result is its subject's without paying or spending: paid for, given out before, or within a trial
    or a period that runs."""
    return record.paid or bool(record.released) or max(state.entitled_until, state.trial_ends) > now


def kept_headers(headers: Headers) -> Headers:
    """What is kept of an answer's headers: not the words meant for the gateway, and no cookies, which days later would
    overwrite newer ones."""
    return [pair for pair in headers if not pair[0].startswith(b"paywall-") and pair[0] != b"set-cookie"]


def describe(headers: Headers, target: str) -> Description:
    """What a result is, out of the head of its answer and, for the name, the path it was asked at."""
    message = Message()
    coding = ""
    for name, value in headers:
        if name in (b"content-type", b"content-disposition"):
            message[name.decode("ascii")] = value.decode("latin-1")
        elif name == b"content-encoding":
            coding = value.decode("latin-1").strip().lower()
    media_type = message.get_content_type() if message["content-type"] else "application/octet-stream"
    filename = _said(message.get_filename) or target.partition("?")[0].rstrip("/").rpartition("/")[2] or "result"
    charset = _said(message.get_content_charset)
    return Description(media_type, charset, _printable(filename)[:120], coding)


def _said(read: Callable[[], str | None]) -> str:
    try:
        return read() or ""
    except (ValueError, TypeError, LookupError):
        # The standard library trips over charsets and parameters that nobody means seriously (`filename*=idna''a`,
        # `x*0=a; x*=b`).
        return ""


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable() and character not in "/\\")
