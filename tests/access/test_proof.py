"""A right that its holder carries along."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.access.proof import COOKIE, GOOD_MS, RENEWED_MS, Proofs
from gateway.core.header import Headers
from gateway.core.quantity import DAY, MINUTE
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject

ANN, BOB = Subject.parse("person:ann"), Subject.parse("person:bob")
NOW = 1_800_000_000_000
PAID = SubjectState(trial_started=1, trial_ends=2, entitled_until=NOW + DAY)
BROWSER: Headers = [(b"cookie", b"session=1")]
PROOFS = Proofs(b"k" * 32)


def given(state: SubjectState = PAID, headers: Headers = BROWSER, now: int = NOW, secure: bool = False) -> bytes:
    return PROOFS.renewed(ANN, state, headers, secure=secure, now=now)


def carried(cookie: bytes) -> Headers:
    """The headers of a client that keeps this cookie, among others."""
    return [(b"accept", b"*/*"), (b"cookie", b"a=1; " + cookie.partition(b";")[0] + b"; b=2")]


def test_whoever_has_paid_is_believed_for_a_quarter_of_an_hour() -> None:
    headers = carried(given())
    assert PROOFS.good_until(ANN, headers, NOW) == NOW + GOOD_MS
    assert PROOFS.good_until(ANN, headers, NOW + GOOD_MS - 1) == NOW + GOOD_MS
    assert PROOFS.good_until(ANN, headers, NOW + GOOD_MS) == 0


def test_no_longer_than_what_was_paid_for() -> None:
    headers = carried(given(SubjectState(trial_started=1, entitled_until=NOW + MINUTE)))
    assert PROOFS.good_until(ANN, headers, NOW) == NOW + MINUTE


@pytest.mark.parametrize(
    "state",
    [
        SubjectState(),
        SubjectState(trial_started=1, trial_ends=NOW + DAY),
        SubjectState(trial_started=1, credits=5),
        SubjectState(trial_started=1, window_ends=NOW + DAY, window_left=3),
        SubjectState(trial_started=1, entitled_until=NOW),
    ],
    ids=["nobody knows them", "on trial", "paid by number", "window", "over"],
)
def test_no_other_right_is_proven(state: SubjectState) -> None:
    assert given(state) == b""


def test_it_is_given_to_whoever_keeps_cookies_and_not_too_often() -> None:
    assert given(headers=[]) == b"" == given(headers=[(b"authorization", b"Bearer x")])
    assert given(headers=[(b"sec-fetch-mode", b"cors")])
    young = carried(given())
    assert given(headers=young, now=NOW + RENEWED_MS - 1) == b""
    later = given(headers=young, now=NOW + RENEWED_MS)
    assert PROOFS.good_until(ANN, carried(later), NOW + RENEWED_MS) == NOW + RENEWED_MS + GOOD_MS


def test_the_cookie_is_no_business_of_scripts_and_of_http_where_there_is_https() -> None:
    plain, secure = given().decode(), given(secure=True).decode()
    assert plain.split("; ")[1:] == ["Path=/", "Max-Age=900", "HttpOnly", "SameSite=Lax"]
    assert secure.split("; ")[1:] == ["Path=/", "Max-Age=900", "HttpOnly", "SameSite=Lax", "Secure"]
    assert "ann" not in plain


def _parts(cookie: bytes) -> list[bytes]:
    return cookie.partition(b";")[0].partition(b"=")[2].split(b".")


FORGERIES: dict[str, Callable[[list[bytes]], bytes]] = {
    "a later end": lambda parts: b".".join([b"%d" % (int(parts[0]) + 1), parts[1], parts[2]]),
    "a later beginning": lambda parts: b".".join([parts[0], b"%d" % (int(parts[1]) + 1), parts[2]]),
    "another signature": lambda parts: b".".join([parts[0], parts[1], parts[2][::-1]]),
    "no signature": lambda parts: b".".join([parts[0], parts[1], b""]),
    "a signature cut short": lambda parts: b".".join([parts[0], parts[1], parts[2][:-1]]),
    "shifted digits": lambda parts: b".".join([parts[0][:-1], parts[0][-1:] + parts[1], parts[2]]),
    "nothing": lambda parts: b"",
    "no numbers": lambda parts: b"x.y." + parts[2],
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_was_not_given_so_proves_nothing(name: str) -> None:
    forged = COOKIE + b"=" + FORGERIES[name](_parts(given()))
    assert PROOFS.good_until(ANN, carried(forged), NOW) == 0


def test_it_is_good_for_one_subject_and_one_secret() -> None:
    headers = carried(given())
    assert PROOFS.good_until(BOB, headers, NOW) == 0
    assert Proofs(b"x" * 32).good_until(ANN, headers, NOW) == 0


def test_one_from_the_future_proves_nothing_but_clocks_may_differ_a_little() -> None:
    headers = carried(given(now=NOW + 2 * MINUTE))
    assert PROOFS.good_until(ANN, headers, NOW) == 0
    assert PROOFS.good_until(ANN, headers, NOW + MINUTE) == NOW + 2 * MINUTE + GOOD_MS


def test_of_several_the_best_counts_wherever_it_stands() -> None:
    old, new = given(now=NOW - MINUTE).partition(b";")[0], given().partition(b";")[0]
    for cookies in ([old + b"; " + new], [new + b";" + old], [old, new], [COOKIE + b"=rubbish; " + new, old]):
        assert PROOFS.good_until(ANN, [(b"cookie", each) for each in cookies], NOW) == NOW + GOOD_MS
    assert PROOFS.good_until(ANN, [(b"cookie", b"x" + new)], NOW) == 0, "that is another cookie"
