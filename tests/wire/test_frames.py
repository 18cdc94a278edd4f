"""Where frames begin, however their bytes arrive."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.frames import CLOSE_TO_APPLICATION, CLOSE_TO_CLIENT, FRAMES_AT_ONCE_LIMIT, Frames

LENGTHS = st.one_of(st.integers(0, 130), st.sampled_from([125, 126, 127, 65535, 65536, 70000]))


def frame(length: int, masked: bool = False) -> bytes:
    """One binary frame of so many bytes, as RFC 6455 section 5.2 draws it."""
    mask = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", 0x82, mask | length)
    elif length < 65536:
        head = struct.pack("!BBH", 0x82, mask | 126, length)
    else:
        head = struct.pack("!BBQ", 0x82, mask | 127, length)
    return head + (b"mask" if masked else b"") + b"\x82" * length


def pieces(data: bytes, seed: int) -> list[bytes]:
    """The same bytes in pieces of any size."""
    dice, made, at = random.Random(seed), [], 0
    while at < len(data):
        size = dice.choice([1, 1, 2, 3, 7, 130, 70000])
        made.append(data[at : at + size])
        at += size
    return made


@given(st.lists(st.tuples(LENGTHS, st.booleans()), max_size=6), st.integers(0, 1000))
def test_frames_begin_where_their_lengths_say(shapes: list[tuple[int, bool]], seed: int) -> None:
    written = [frame(length, masked) for length, masked in shapes]
    edges = {0}
    for each in written:
        edges.add(max(edges) + len(each))
    frames, at = Frames(), 0
    assert frames.between
    for piece in pieces(b"".join(written), seed):
        frames.feed(piece)
        at += len(piece)
        assert frames.between == (at in edges)


@given(LENGTHS, st.booleans(), st.integers(0, 1000), st.data())
def test_the_frame_that_has_begun_is_all_that_still_passes(
    length: int, masked: bool, seed: int, draw: st.DataObject
) -> None:
    first = frame(length, masked)
    begun = draw.draw(st.integers(1, len(first)))
    frames = Frames()
    frames.feed(first[:begun])
    passed = b""
    for piece in pieces(first[begun:] + frame(3), seed):
        if not frames.between:
            passed += piece[: frames.end_of_first(piece)]
    assert passed == first[begun:]
    assert frames.end_of_first(b"more") == 0, "the next does not pass"


def test_whoever_sends_too_many_at_once_is_not_counted_any_more() -> None:
    """Then nobody knows where one begins, and none is ever cut short by a close in its midst."""
    frames = Frames()
    frames.feed(frame(0) * FRAMES_AT_ONCE_LIMIT)
    assert frames.between
    frames.feed(frame(0) * (FRAMES_AT_ONCE_LIMIT + 2))
    frames.feed(frame(3))
    assert frames.end_of_first(frame(3) * 2) == 2 * len(frame(3))


def test_what_is_no_frame_harms_nothing() -> None:
    frames = Frames()
    for byte in b"GET / HTTP/1.1\r\n\r\n" * 50:
        frames.feed(bytes([byte]))
    assert frames.end_of_first(b"x") in (0, 1)


@pytest.mark.parametrize("goodbye", [CLOSE_TO_CLIENT, CLOSE_TO_APPLICATION])
def test_the_end_that_the_gateway_writes_is_one_frame(goodbye: bytes) -> None:
    frames = Frames()
    frames.feed(goodbye)
    assert frames.between and goodbye[0] == 0x88 and goodbye.endswith(struct.pack("!H", 1012))
    assert bool(goodbye[1] & 0x80) == (goodbye is CLOSE_TO_APPLICATION), "only clients mask (section 5.1)"
