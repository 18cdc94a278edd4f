"""The reference leads back to whom it was made for, tells nobody else who that is, and can't be forged."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.subject import Subject
from gateway.payments.reference import LENGTH_LIMIT, References

REFERENCES = References(b"k" * 32)
ALICE, BOB = Subject.parse("person:alice"), Subject.parse("person:bob")
MINE = REFERENCES.make(ALICE.key, "checkout")


@given(st.text(st.characters(), min_size=1, max_size=50), st.text("abcXYZ019-_", min_size=1, max_size=20))
def test_it_leads_back_to_subject_and_checkout(name: str, checkout: str) -> None:
    subject = Subject.parse(name)
    made = REFERENCES.make(subject.key, checkout)
    assert REFERENCES.read(made) == (subject.key, checkout)
    assert made == REFERENCES.make(subject.key, checkout)


def test_it_is_short_and_plain() -> None:
    longest = REFERENCES.make(Subject.parse("person:" + "x" * 500).key, "c" * 20)
    assert len(longest) == 64 <= LENGTH_LIMIT
    assert re.fullmatch(r"[A-Za-z0-9._-]+", longest)


def test_it_does_not_tell_who_pays() -> None:
    _, _, sealed = MINE.partition(".")
    assert ALICE.key not in MINE
    assert urlsafe_b64decode(ALICE.key + "==") not in urlsafe_b64decode(sealed + "=")
    # Not even to whoever tries ids, or compares what one person pays for.
    assert References(b"j" * 32).make(ALICE.key, "checkout") != MINE
    assert REFERENCES.make(ALICE.key, "another").partition(".")[2] != sealed


@given(st.integers(0, len(MINE) - 1), st.characters())
def test_with_one_character_changed_it_is_not_ours(place: int, character: str) -> None:
    forged = MINE[:place] + character + MINE[place + 1 :]
    assert forged == MINE or REFERENCES.read(forged) is None


@given(st.integers(0, len(MINE)), st.text("=-_ \n.A", min_size=1, max_size=3))
def test_with_something_put_in_it_is_not_ours(place: int, more: str) -> None:
    assert REFERENCES.read(MINE[:place] + more + MINE[place:]) is None


@given(st.text(st.characters(), max_size=60) | st.text("0123456789abcdef.", max_size=60))
def test_made_up_it_is_not_ours(made_up: str) -> None:
    assert REFERENCES.read(made_up) is None


def test_what_is_sealed_for_one_does_not_fit_another_checkout() -> None:
    sealed = REFERENCES.make(BOB.key, "hers").partition(".")[2]
    assert REFERENCES.read(f"checkout.{sealed}") is None


def test_of_a_former_secret_it_is_read_and_none_is_made() -> None:
    now = References(b"j" * 32, b"l" * 32, b"k" * 32)
    assert now.read(MINE) == (ALICE.key, "checkout")
    assert now.make(ALICE.key, "checkout") == References(b"j" * 32).make(ALICE.key, "checkout") != MINE


def test_of_another_secret_it_is_not_ours() -> None:
    assert References(b"j" * 32).read(MINE) is None
