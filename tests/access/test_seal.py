"""What is kept back opens whole and unaltered, in its place, or not at all; and ids of holds vouch for themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.hold_id import HoldIds, Ownership
from gateway.access.seal import Damaged, ResultHead, Sealer

KEY = b"k" * 32
SEALER = Sealer(KEY, "hold", "owner")


class TestSeal:
    @given(st.binary(max_size=300), st.integers(0, 2**32 - 2), st.booleans())
    def test_opens_as_it_was(self, chunk: bytes, number: int, last: bool) -> None:
        sealed = SEALER.seal(number, last, chunk)
        assert SEALER.open(number, last, sealed) == chunk
        assert len(chunk) < 8 or chunk not in sealed

    @given(st.binary(max_size=40), st.data())
    def test_altered_by_one_bit_it_does_not_open(self, chunk: bytes, data: st.DataObject) -> None:
        sealed = bytearray(SEALER.seal(0, True, chunk))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(Damaged, match="chunk 0"):
            SEALER.open(0, True, bytes(sealed))

    @pytest.mark.parametrize(
        ("opener", "number", "last"),
        [
            (SEALER, 1, False),
            (SEALER, 0, True),
            (Sealer(KEY, "other", "owner"), 0, False),
            (Sealer(KEY, "hold", "other"), 0, False),
            (Sealer(KEY, "hold:owner", ""), 0, False),
            (Sealer(b"l" * 32, "hold", "owner"), 0, False),
        ],
        ids=["swapped", "cut behind it", "another hold", "another owner", "shifted", "another secret"],
    )
    def test_out_of_its_place_it_does_not_open(self, opener: Sealer, number: int, last: bool) -> None:
        with pytest.raises(Damaged):
            opener.open(number, last, SEALER.seal(0, False, b"chunk"))

    @given(st.binary(max_size=40), st.integers(1, 56))
    def test_cut_short_it_does_not_open(self, chunk: bytes, cut: int) -> None:
        with pytest.raises(Damaged):
            SEALER.open(0, True, SEALER.seal(0, True, chunk)[:-cut])

    @given(
        st.integers(200, 599),
        st.lists(st.tuples(st.binary(min_size=1, max_size=10), st.binary(max_size=20)), max_size=5),
    )
    def test_a_head_opens_byte_for_byte(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        head = ResultHead(status, headers)
        assert SEALER.open_head(SEALER.seal_head(head)) == head

    def test_a_chunk_is_no_head(self) -> None:
        with pytest.raises(Damaged):
            SEALER.open_head(SEALER.seal(0, True, b"[200,[]]"))


IDS = HoldIds(KEY)


class TestHoldId:
    def test_is_known_to_its_owner_and_to_nobody_else(self) -> None:
        hold = IDS.make("alice")
        assert IDS.read(hold, "alice") is Ownership.MINE
        assert IDS.read(hold, "bob") is Ownership.ANOTHERS

    def test_is_new_each_time_and_fit_for_an_address(self) -> None:
        made = {IDS.make("alice") for _ in range(100)}
        assert len(made) == 100
        assert all(len(hold) == 32 and hold.replace("-", "").replace("_", "").isalnum() for hold in made)

    def test_of_another_secret_is_unknown(self) -> None:
        assert IDS.read(HoldIds(b"l" * 32).make("alice"), "alice") is Ownership.UNKNOWN

    @pytest.mark.parametrize("hold", ["", "x", "x" * 32, "é" * 32, "\ud800" * 32, "\x00" * 32, "x" * 10_000])
    def test_made_up_is_unknown(self, hold: str) -> None:
        assert IDS.read(hold, "alice") is Ownership.UNKNOWN

    def test_does_not_tell_who_owns_it(self) -> None:
        one, other = IDS.make("alice"), IDS.make("alice")
        assert not set(zip(one[24:], other[24:], strict=True)) <= {(each, each) for each in one}

    @given(st.text(max_size=40))
    def test_any_text_is_read(self, hold: str) -> None:
        assert IDS.read(hold, "alice") is Ownership.UNKNOWN

    @given(st.integers(0, 31), st.characters())
    def test_with_one_character_changed_it_is_nobodys_of_ours(self, place: int, character: str) -> None:
        hold = IDS.make("alice")
        forged = hold[:place] + character + hold[place + 1 :]
        assert forged == hold or IDS.read(forged, "alice") is not Ownership.MINE

    @given(st.integers(1, 31), st.text(max_size=5))
    def test_cut_or_lengthened_it_is_unknown(self, kept: int, more: str) -> None:
        hold = IDS.make("alice")
        assert IDS.read(hold[:kept], "alice") is Ownership.UNKNOWN
        assert IDS.read(hold + "x" + more, "alice") is Ownership.UNKNOWN

    def test_the_owner_of_one_hold_can_not_be_put_into_another(self) -> None:
        mine, hers = IDS.make("alice"), IDS.make("bob")
        assert IDS.read(hers[:24] + mine[24:], "alice") is Ownership.ANOTHERS
