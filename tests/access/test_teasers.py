"""Which maker makes the teaser, and that its faults cost a teaser and never the result."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import teasers as teasers_module
from gateway.access.teasers import WHOLE_BODY_LIMIT, Teasers, encode_teaser, undo_coding
from gateway.ports.teaser import SAMPLE_BYTES, ResultSample, Teaser

Make = Callable[[ResultSample], Teaser | None]


class Maker:
    """A maker that shows its own name, or does what it is told to."""

    def __init__(self, name: str, *media_types: str, whole: bool = False, make: Make | None = None) -> None:
        self.media_types, self.whole = media_types, whole
        self._make: Make = make or (lambda sample: Teaser(lines=(name,)))

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def make(self, sample: ResultSample) -> Teaser | None:
        return self._make(sample)


def fails(sample: ResultSample) -> Teaser | None:
    raise MemoryError("a picture of a million pixels")


def sample(media_type: str = "image/png", complete: bool = True) -> ResultSample:
    return ResultSample(media_type, "", "a", 3, b"abc", complete)


async def shown(*makers: Maker, of: ResultSample) -> tuple[tuple[str, ...], list[str]]:
    lines: list[str] = []
    return (await Teasers(makers, lines.append).make(of)).lines, lines


ALL = (
    Maker("any", "*/*"),
    Maker("family", "image/*", "text/*"),
    Maker("suffix", "*/*+json"),
    Maker("exact", "image/png", "application/ld+json"),
)


@pytest.mark.parametrize("makers", [ALL, ALL[::-1]], ids=["as listed", "reversed"])
@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("image/png", "exact"),
        ("image/gif", "family"),
        ("application/geo+json", "suffix"),
        ("application/ld+json", "exact"),
        ("text/x+json", "suffix"),
        ("application/json", "any"),
        ("", "any"),
        ("nonsense", "any"),
    ],
)
async def test_the_most_specific_maker_is_asked(makers: tuple[Maker, ...], media_type: str, name: str) -> None:
    assert await shown(*makers, of=sample(media_type)) == ((name,), [])


async def test_a_maker_that_declines_leaves_it_to_the_next() -> None:
    declining = Maker("", "image/png", make=lambda sample: None)
    assert await shown(declining, Maker("next", "image/*"), of=sample()) == (("next",), [])


async def test_a_maker_that_fails_leaves_it_to_the_next_and_is_logged() -> None:
    found, lines = await shown(Maker("", "image/png", make=fails), Maker("next", "*/*"), of=sample())
    assert found == ("next",)
    assert len(lines) == 1 and "image/png" in lines[0] and "MemoryError" in lines[0]


async def test_a_slow_maker_leaves_it_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def slow(sample: ResultSample) -> Teaser | None:
        released.wait(60)
        return None

    monkeypatch.setattr(teasers_module, "TIME_LIMIT_SECONDS", 0.05)
    try:
        found, lines = await shown(Maker("", "image/png", make=slow), Maker("next", "*/*"), of=sample())
    finally:
        released.set()
    assert "TimeoutError" in lines[0]
    assert found in (("next",), ())  # on a busy machine the next one may be too slow as well


async def test_without_anything_to_show_the_teaser_is_empty() -> None:
    assert await Teasers((), print).make(sample()) == Teaser()
    assert (await shown(Maker("text", "text/*"), of=sample()))[0] == ()


async def test_who_needs_the_whole_is_not_asked_with_a_part() -> None:
    whole = Maker("whole", "image/png", whole=True)
    assert (await shown(whole, Maker("next", "*/*"), of=sample(complete=False)))[0] == ("next",)
    assert (await shown(whole, Maker("next", "*/*"), of=sample(complete=True)))[0] == ("whole",)


def test_whether_a_media_type_is_wanted_whole() -> None:
    teasers = Teasers((Maker("", "image/*", whole=True), Maker("", "*/*")), print)
    assert (teasers.wants_whole("image/png"), teasers.wants_whole("text/csv")) == (True, False)


class TestUndoCoding:
    text = b"so many rows\n" * 1000

    @pytest.mark.parametrize("coding", ["", "identity"])
    @pytest.mark.parametrize("complete", [True, False])
    def test_none(self, coding: str, complete: bool) -> None:
        assert undo_coding(coding, b"abc", complete) == (b"abc", complete)

    @pytest.mark.parametrize(
        ("coding", "coded"),
        [
            ("gzip", gzip.compress(text, mtime=0)),
            ("x-gzip", gzip.compress(text, mtime=0)),
            ("deflate", zlib.compress(text)),
        ],
    )
    def test_is_undone(self, coding: str, coded: bytes) -> None:
        assert undo_coding(coding, coded, True) == (self.text, True)

    def test_of_a_part_gives_the_beginning(self) -> None:
        plain = undo_coding("gzip", gzip.compress(self.text)[:-20], False)
        assert plain is not None and self.text.startswith(plain[0]) and plain[0] and plain[1] is False

    def test_of_what_was_cut_is_not_complete(self) -> None:
        plain = undo_coding("gzip", gzip.compress(self.text)[:-20], True)
        assert plain is not None and plain[1] is False

    @pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "nonsense"])
    def test_that_is_not_understood_is_left_alone(self, coding: str) -> None:
        assert undo_coding(coding, b"abc", True) is None

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_that_is_a_lie_is_left_alone(self, coding: str) -> None:
        assert undo_coding(coding, b"not compressed at all", True) is None

    @pytest.mark.parametrize(("complete", "limit"), [(True, WHOLE_BODY_LIMIT), (False, SAMPLE_BYTES)])
    def test_that_hides_a_gigabyte_is_bounded(self, complete: bool, limit: int) -> None:
        bomb = zlib.compressobj(wbits=31)
        megabyte = bytes(2**20)
        coded = b"".join(bomb.compress(megabyte) for _ in range(1024)) + bomb.flush()
        tracemalloc.start()
        try:
            plain = undo_coding("gzip", coded, complete)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert plain is not None and len(plain[0]) == limit and plain[1] is False
        assert peak < 4 * limit + 2**20

    @given(st.sampled_from(["gzip", "deflate", "x-gzip", "br", ""]), st.binary(max_size=60), st.booleans())
    def test_any_bytes_are_read(self, coding: str, body: bytes, complete: bool) -> None:
        undo_coding(coding, body, complete)


class TestEncoding:
    def test_everything_that_is_shown_is_in_it(self) -> None:
        teaser = Teaser({"Rows": "3"}, ("a",), ("x", "y"), (("1", "2"),), b"\x89PNG", "image/png")
        assert json.loads(encode_teaser(teaser)) == {
            "facts": {"Rows": "3"},
            "lines": ["a"],
            "columns": ["x", "y"],
            "rows": [["1", "2"]],
            "image": "data:image/png;base64,iVBORw==",
        }

    def test_an_empty_one_is_an_empty_object(self) -> None:
        assert encode_teaser(Teaser()) == b"{}"

    def test_text_that_can_not_be_encoded_is_replaced(self) -> None:
        assert json.loads(encode_teaser(Teaser(lines=("a\ud800", "é")))) == {"lines": ["a?", "é"]}
