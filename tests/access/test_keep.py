"""A result is kept back and comes out again as it was, for whoever has paid, and for nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.describe import describe
from gateway.access.frames import FRAME_BYTES
from gateway.access.hold_id import HoldIds
from gateway.access.keep import Keeper, KeepOutcome, Kept, OpenedHold, OpenRefusal
from gateway.access.seal import Damaged, SealKeys
from gateway.access.teasers import Teasers
from gateway.core.quantity import DAY, HOUR
from gateway.core.rule import HoldLimits
from gateway.core.subject import Subject
from gateway.ports.state import HoldRecord
from gateway.ports.teaser import SAMPLE_BYTES, ResultSample, Teaser
from gateway.ports.upstream import Headers, UpstreamError, UpstreamFailure
from gateway.store.connection import Store
from gateway.store.keys import subject_key
from tests.store.conftest import new_subject

LIMITS = HoldLimits(ttl_ms=DAY, max_size=3 * 2**20, max_count=3, max_total=6 * 2**20, max_wait_ms=60_000, reuse_ms=HOUR)
HEADERS: Headers = [(b"content-type", b"text/csv"), (b"x-raw", b"\xe9\xff"), (b"x-twice", b"1"), (b"x-twice", b"2")]
NOW = 1_800_000_000_000


class ScriptedAnswer:
    """An answer of the application in the pieces that were written down; an exception among them is raised."""

    def __init__(self, *pieces: bytes | Exception | Awaitable[None], length: int | None = None, status: int = 200):
        self.status, self.length = status, length
        self.headers: Headers = list(HEADERS)
        self.read_bytes = 0
        self._pieces = list(pieces)

    async def read(self) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        if not isinstance(piece, bytes):
            await piece
            return await self.read()
        self.read_bytes += len(piece)
        return piece

    def abort(self) -> None: ...


class Sampler:
    """A teaser maker that tells how much it was shown."""

    media_types: tuple[str, ...] = ("*/*",)
    whole = False

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def make(self, sample: ResultSample) -> Teaser | None:
        facts = {"size": sample.size, "shown": len(sample.body), "complete": sample.complete, "name": sample.filename}
        return Teaser(facts={name: str(value) for name, value in facts.items()})


Make = Callable[..., Keeper]


@pytest.fixture
def make(store: Store) -> Make:
    """A keeper with other limits, another instant or another secret."""

    def made(limits: HoldLimits = LIMITS, now: int = NOW, key: bytes = b"k" * 32) -> Keeper:
        return Keeper(store.holds, HoldIds(b"i" * 32), SealKeys(key), Teasers((Sampler(),), print), limits, lambda: now)

    return made


@pytest.fixture
def keeper(make: Make) -> Keeper:
    return make()


async def keep(keeper: Keeper, subject: Subject, *pieces: bytes, fingerprint: str = "f") -> HoldRecord:
    kept = await keeper.keep(subject, "exports", "/reports/may.csv?x=1", fingerprint, ScriptedAnswer(*pieces))
    assert kept.outcome is KeepOutcome.KEPT and kept.record is not None
    return kept.record


async def body_of(opened: OpenedHold | OpenRefusal) -> bytes:
    assert isinstance(opened, OpenedHold)
    return b"".join([piece async for piece in opened.body])


async def nothing_is_left(store: Store, subject: Subject) -> bool:
    """Whether not one key of a hold, chunk or reservation is in the store, so that the next result has room."""
    pattern = subject_key(subject).replace("{", "\\{")
    held = await store.link.ask(("KEYS", f"{pattern}:*"))
    return held == [[]]


class TestTheSameBytes:
    @pytest.mark.parametrize(
        "size",
        [0, 1, SAMPLE_BYTES, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, 5 * FRAME_BYTES],
    )
    async def test_come_out(self, store: Store, keeper: Keeper, subject: Subject, size: int) -> None:
        body = bytes(number % 251 for number in range(size))
        pieces = [body[start : start + 100_003] for start in range(0, size, 100_003)]
        record = await keep(keeper, subject, *pieces)
        assert (record.size, record.status, record.media_type, record.filename) == (size, 200, "text/csv", "may.csv")
        await store.operations.grant(subject, "gift", results=1)
        opened = await keeper.open(subject, record.id)
        assert await body_of(opened) == body
        assert isinstance(opened, OpenedHold)
        assert (opened.head.status, opened.head.headers) == (200, HEADERS)

    async def test_come_out_again_and_only_once_for_the_first_time(
        self, store: Store, keeper: Keeper, subject: Subject
    ) -> None:
        record = await keep(keeper, subject, b"rows")
        assert await keeper.waiting(subject) == [record]
        await store.operations.grant(subject, "gift", results=1)
        opened = [await keeper.open(subject, record.id) for _ in range(2)]
        assert [isinstance(each, OpenedHold) and each.first for each in opened] == [True, False]
        assert [await body_of(each) for each in opened] == [b"rows", b"rows"]
        assert await keeper.waiting(subject) == []
        assert (await store.subjects.visit(subject)).credits == 0

    async def test_can_not_be_read_in_the_store(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        record = await keep(keeper, subject, b"a secret of the application, " * 100)
        for key in (await store.link.ask(("KEYS", f"*{record.id}*")))[0]:
            (kind,) = await store.link.ask(("TYPE", key))
            (held,) = await store.link.ask(("GET", key) if kind == b"string" else ("HGETALL", key))
            assert b"secret of the application" not in repr(held).encode()

    async def test_of_status_and_headers_too(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        kept = await keeper.keep(subject, "r", "/x", "f", ScriptedAnswer(b"gone", status=203))
        assert kept.record is not None and kept.record.status == 203
        await store.operations.grant(subject, "gift", period_ms=DAY)
        opened = await keeper.open(subject, kept.record.id)
        assert isinstance(opened, OpenedHold) and opened.head.status == 203


class TestWhatIsNotKept:
    """Each leaves nothing behind."""

    async def expect(
        self, store: Store, keeper: Keeper, subject: Subject, answer: ScriptedAnswer, outcome: KeepOutcome
    ) -> None:
        assert await keeper.keep(subject, "r", "/x", "f", answer) == Kept(outcome)
        assert await nothing_is_left(store, subject)

    async def test_announced_as_too_large(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        answer = ScriptedAnswer(b"x", length=LIMITS.max_size + 1)
        await self.expect(store, keeper, subject, answer, KeepOutcome.TOO_LARGE)
        assert answer.read_bytes == 0

    async def test_found_too_large(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        answer = ScriptedAnswer(*[bytes(2**20)] * 100)
        await self.expect(store, keeper, subject, answer, KeepOutcome.TOO_LARGE)
        assert answer.read_bytes <= LIMITS.max_size + 2**20

    async def test_exactly_as_large_as_allowed_is_kept(self, keeper: Keeper, subject: Subject) -> None:
        assert (await keep(keeper, subject, *[bytes(2**20)] * 3)).size == LIMITS.max_size

    async def test_a_stream_of_events(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        answer = ScriptedAnswer(b"data: 1\n\n")
        answer.headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await self.expect(store, keeper, subject, answer, KeepOutcome.ENDLESS)
        assert answer.read_bytes == 0

    async def test_without_end(self, store: Store, make: Make, subject: Subject) -> None:
        never = asyncio.Event()

        async def wait() -> None:
            await never.wait()

        keeper = make(replace(LIMITS, max_wait_ms=50))
        await self.expect(store, keeper, subject, ScriptedAnswer(b"x", wait()), KeepOutcome.ENDLESS)

    async def test_no_room_for_one_more(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        records = [await keep(keeper, subject, b"x", fingerprint=str(number)) for number in range(3)]
        answer = ScriptedAnswer(b"x")
        assert await keeper.keep(subject, "r", "/x", "f", answer) == Kept(KeepOutcome.LIMIT_REACHED)
        assert answer.read_bytes == 0
        assert {record.id for record in await keeper.waiting(subject)} == {record.id for record in records}

    async def test_no_room_for_so_many_bytes(self, store: Store, make: Make, subject: Subject) -> None:
        keeper = make(replace(LIMITS, max_total=10))
        await self.expect(store, keeper, subject, ScriptedAnswer(b"eleven byte"), KeepOutcome.LIMIT_REACHED)

    @pytest.mark.parametrize("before", [[], [b"x"], [bytes(FRAME_BYTES + 1)]])
    async def test_cut_short(self, store: Store, keeper: Keeper, subject: Subject, before: list[bytes]) -> None:
        answer = ScriptedAnswer(*before, UpstreamError(UpstreamFailure.BROKEN, "the application left"))
        with pytest.raises(UpstreamError):
            await keeper.keep(subject, "r", "/x", "f", answer)
        assert await nothing_is_left(store, subject)

    async def test_given_up_by_the_client(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        reached = asyncio.Event()

        async def wait() -> None:
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(keeper.keep(subject, "r", "/x", "f", ScriptedAnswer(bytes(FRAME_BYTES + 1), wait())))
        await asyncio.wait_for(reached.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await nothing_is_left(store, subject)

    @pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 10, 20])
    async def test_given_up_before_there_is_room_for_it(
        self, store: Store, keeper: Keeper, subject: Subject, turns: int
    ) -> None:
        """The store may have made room already when the client leaves, and nobody has heard of it yet."""
        never = asyncio.get_running_loop().create_future()
        answer = ScriptedAnswer(b"x", never)
        task = asyncio.create_task(keeper.keep(subject, "exports", "/x.csv", "", answer))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await nothing_is_left(store, subject)


class TestOpening:
    async def test_unpaid_is_refused(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        record = await keep(keeper, subject, b"rows")
        assert not await nothing_is_left(store, subject)
        assert await keeper.open(subject, record.id) is OpenRefusal.UNPAID
        assert await keeper.look(subject, record.id) == record

    async def test_anothers_is_refused_even_to_whoever_has_paid(
        self, store: Store, keeper: Keeper, subject: Subject
    ) -> None:
        record = await keep(keeper, subject, b"rows")
        other = new_subject()
        await store.operations.grant(other, "gift", period_ms=DAY)
        await store.operations.grant(subject, "gift", period_ms=DAY)
        assert await keeper.open(other, record.id) is OpenRefusal.ANOTHERS
        assert await keeper.look(other, record.id) is OpenRefusal.ANOTHERS

    @pytest.mark.parametrize("hold", ["", "nonsense", "x" * 32, "é", "../../x"])
    async def test_made_up_is_unknown(self, keeper: Keeper, subject: Subject, hold: str) -> None:
        assert await keeper.open(subject, hold) is OpenRefusal.UNKNOWN

    async def test_expired_is_told_from_unknown(self, store: Store, keeper: Keeper, subject: Subject) -> None:
        record = await keep(keeper, subject, b"rows")
        await store.holds.discard(subject, record.id)
        assert await keeper.open(subject, record.id) is OpenRefusal.EXPIRED

    @pytest.mark.parametrize("damaged", [0, 1, 2])
    async def test_a_byte_altered_in_the_store_breaks_the_body_off(
        self, store: Store, keeper: Keeper, subject: Subject, damaged: int
    ) -> None:
        record = await keep(keeper, subject, bytes(2 * FRAME_BYTES + 10))
        await store.operations.grant(subject, "gift", period_ms=DAY)
        key = f"{subject_key(subject)}:hold:{record.id}:{damaged}"
        (chunk,) = await store.link.ask(("GET", key))
        await store.link.ask(("SETRANGE", key, 3, bytes([chunk[3] ^ 1])))
        opened = await keeper.open(subject, record.id)
        assert isinstance(opened, OpenedHold)
        got = 0
        with pytest.raises(Damaged, match=f"chunk {damaged}"):
            async for piece in opened.body:
                got += len(piece)
        assert got == damaged * FRAME_BYTES

    async def test_a_chunk_that_is_missing_breaks_the_body_off(
        self, store: Store, keeper: Keeper, subject: Subject
    ) -> None:
        record = await keep(keeper, subject, b"rows")
        await store.operations.grant(subject, "gift", period_ms=DAY)
        await store.link.ask(("DEL", f"{subject_key(subject)}:hold:{record.id}:0"))
        with pytest.raises(Damaged):
            await body_of(await keeper.open(subject, record.id))

    async def test_under_another_secret_nothing_is_taken_for_it(
        self, store: Store, keeper: Keeper, make: Make, subject: Subject
    ) -> None:
        record = await keep(keeper, subject, b"rows")
        await store.operations.grant(subject, "gift", results=1)
        with pytest.raises(Damaged):
            await make(key=b"other" * 7).open(subject, record.id)
        assert (await store.subjects.visit(subject)).credits == 1


class TestFinding:
    async def test_the_same_request_finds_what_is_held(self, keeper: Keeper, subject: Subject) -> None:
        record = await keep(keeper, subject, b"rows", fingerprint="GET /x")
        assert await keeper.find(subject, "GET /x") == record
        assert await keeper.find(subject, "GET /y") is None
        assert await keeper.find(subject, "") is None
        assert await keeper.find(new_subject(), "GET /x") is None

    async def test_what_is_too_old_or_not_to_be_reused_is_not_found(
        self, keeper: Keeper, make: Make, subject: Subject
    ) -> None:
        record = await keep(keeper, subject, b"rows")
        assert await make(now=NOW + LIMITS.reuse_ms).find(subject, "f") == record
        assert await make(now=NOW + LIMITS.reuse_ms + 1).find(subject, "f") is None
        assert await make(replace(LIMITS, reuse_ms=0)).find(subject, "f") is None


class TestTeaser:
    @pytest.mark.parametrize(
        ("size", "facts"),
        [
            (3, {"size": "3", "shown": "3", "complete": "True", "name": "may.csv"}),
            (SAMPLE_BYTES, {"size": "262144", "shown": "262144", "complete": "True", "name": "may.csv"}),
            (2**20, {"size": "1048576", "shown": "262144", "complete": "False", "name": "may.csv"}),
        ],
    )  # fmt: skip
    async def test_is_made_of_the_beginning(
        self, keeper: Keeper, subject: Subject, size: int, facts: dict[str, str]
    ) -> None:
        record = await keep(keeper, subject, *[b"x" * 65536] * (size // 65536), b"x" * (size % 65536))
        assert json.loads(record.teaser) == {"facts": facts}

    async def test_of_a_preview_needs_no_more_than_the_beginning_and_keeps_nothing(
        self, store: Store, keeper: Keeper, subject: Subject
    ) -> None:
        answer = ScriptedAnswer(*[b"x" * 65536] * 1000, length=65_536_000)
        record = await keeper.preview("/reports/may.csv", answer)
        assert (record.id, record.size) == ("", 65_536_000)
        assert json.loads(record.teaser)["facts"]["shown"] == str(SAMPLE_BYTES)
        assert answer.read_bytes <= SAMPLE_BYTES + 65536
        assert await nothing_is_left(store, subject)

    async def test_of_a_preview_without_end_is_of_what_came(self, make: Make) -> None:
        async def wait() -> None:
            await asyncio.Event().wait()

        record = await make(replace(LIMITS, max_wait_ms=50)).preview("/x", ScriptedAnswer(b"abc", wait()))
        assert json.loads(record.teaser)["facts"]["shown"] == "3"


class TestDescription:
    @pytest.mark.parametrize(
        ("content_type", "media_type", "charset"),
        [
            (b"text/csv; charset=UTF-8", "text/csv", "utf-8"),
            (b"TEXT/CSV", "text/csv", ""),
            (b"", "application/octet-stream", ""),
            (b"nonsense", "text/plain", ""),
            (b'text/html; charset="latin-1"', "text/html", "latin-1"),
        ],
    )
    def test_media_type(self, content_type: bytes, media_type: str, charset: str) -> None:
        described = describe([(b"content-type", content_type)] if content_type else [], "/x")
        assert (described.media_type, described.charset) == (media_type, charset)

    @pytest.mark.parametrize(
        ("disposition", "target", "filename"),
        [
            (b'attachment; filename="may.csv"', "/x", "may.csv"),
            (b"attachment; filename*=UTF-8''caf%C3%A9.csv", "/x", "café.csv"),
            (b'attachment; filename="../../etc/passwd"', "/x", "....etcpasswd"),
            (b'attachment; filename="a\\\\b"', "/x", "ab"),
            (b"attachment", "/reports/may.csv?x=/y", "may.csv"),
            (b"", "/reports/may/", "may"),
            (b"", "/", "result"),
            (b'attachment; filename="' + b"x" * 500 + b'"', "/x", "x" * 120),
        ],
    )
    def test_filename(self, disposition: bytes, target: str, filename: str) -> None:
        headers = [(b"content-disposition", disposition)] if disposition else []
        assert describe(headers, target).filename == filename

    def test_coding(self) -> None:
        assert describe([(b"content-encoding", b" GZIP ")], "/x").coding == "gzip"

    @given(
        st.sampled_from([b"", b"attachment; ", b"attachment; filename*=", b"attachment; filename*0*="]),
        st.binary(max_size=40) | st.text("';*=\"%0aé/\\ \n", max_size=20).map(str.encode),
        st.text(max_size=20),
    )
    def test_any_head_is_described(self, start: bytes, value: bytes, target: str) -> None:
        described = describe([(b"content-disposition", start + value), (b"content-type", value)], target)
        assert described.filename.isprintable() and not set(described.filename) & {"/", "\\"}


async def test_what_was_a_visitors_comes_out_to_whom_the_visitor_became_and_to_nobody_else(
    store: Store, keeper: Keeper
) -> None:
    visitor, person, stranger = new_subject(), new_subject(), new_subject()
    kept = await keep(keeper, visitor, b"x" * FRAME_BYTES, b"and the rest")
    await store.operations.merge(visitor, person)
    await store.operations.grant(person, "gift", results=1)
    opened = await keeper.open(person, kept.id)
    assert isinstance(opened, OpenedHold)
    assert b"".join([piece async for piece in opened.body]) == b"x" * FRAME_BYTES + b"and the rest"
    assert await keeper.open(stranger, kept.id) is OpenRefusal.ANOTHERS
    assert await keeper.look(visitor, kept.id) is OpenRefusal.EXPIRED
