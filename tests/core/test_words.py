"""Closed vocabularies, headers, keys and standings."""

from __future__ import annotations

import dataclasses
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import event as event_module
from gateway.core.decision import NAMES, Decision
from gateway.core.event import EVENTS, Event
from gateway.core.header import Headers, first, is_attachment, is_shared, kept_private, media_type_of
from gateway.core.keyring import Keyring, same, tag
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.core.standing import Standing, SubjectState
from gateway.core.subject import ID_BYTES_LIMIT, Subject, SubjectKind

NOW = 1_800_000_000_000


class TestReasons:
    def test_each_word_means_one_thing(self) -> None:
        # A second member with the same word would silently become an alias.
        assert len(Reason) == len(Reason.__members__)

    def test_each_is_one_lower_case_word(self) -> None:
        assert all(reason.value.replace("-", "").isalpha() and reason.value.islower() for reason in Reason)


class TestEvents:
    def test_all_are_listed_once(self) -> None:
        defined = {
            each
            for each in vars(event_module).values()
            if isinstance(each, type) and issubclass(each, Event) and each is not Event
        }
        assert set(EVENTS) == defined
        assert len(EVENTS) == len(defined)

    def test_each_has_a_name_of_its_own_and_a_version(self) -> None:
        names = [each.name for each in EVENTS]
        assert len(set(names)) == len(names)
        assert all(names) and all(each.version >= 1 for each in EVENTS)

    @pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
    def test_what_happened_can_not_be_changed(self, kind: type[Event]) -> None:
        happened = kind(at=NOW)
        for field in dataclasses.fields(kind):
            with pytest.raises(FrozenInstanceError):
                setattr(happened, field.name, "other")


def test_every_decision_has_a_word_of_its_own() -> None:
    assert set(NAMES) == set(Decision.__args__)
    assert len(set(NAMES.values())) == len(NAMES)


class TestHeaders:
    def test_the_first_of_several_counts(self) -> None:
        headers: Headers = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
        assert (first(headers, b"a"), first(headers, b"none")) == (b"1", b"")

    @pytest.mark.parametrize(
        ("value", "media_type"),
        [
            (b"text/html; charset=utf-8", "text/html"),
            (b"TEXT/CSV", "text/csv"),
            (b" application/pdf ;x", "application/pdf"),
            (b"", ""),
            (b"\xff", "ÿ"),
        ],
    )
    def test_media_type(self, value: bytes, media_type: str) -> None:
        assert media_type_of(value) == media_type

    @pytest.mark.parametrize(
        ("value", "attachment"),
        [
            (b"attachment", True),
            (b"Attachment; filename=a.pdf", True),
            (b"download", True),
            (b"inline", False),
            (b'INLINE; filename="attachment"', False),
            (b"form-data; name=x", False),
            (b"", False),
            (b"; filename=x", False),
        ],
    )
    def test_attachment(self, value: bytes, attachment: bool) -> None:
        assert is_attachment(value) is attachment

    @pytest.mark.parametrize(
        ("controls", "shared"),
        [
            ([b"public, max-age=60"], True),
            ([b"max-age=60", b"S-MaxAge=60"], True),
            ([b"immutable"], True),
            ([b"private"], False),
            ([b"max-age=60"], False),
            ([], False),
        ],
    )
    def test_shared(self, controls: list[bytes], shared: bool) -> None:
        assert is_shared([(b"cache-control", control) for control in controls]) is shared

    @pytest.mark.parametrize(
        ("controls", "kept"),
        [
            ([], b"private"),
            ([b"public, max-age=60"], b"private, max-age=60"),
            ([b"s-maxage=9", b"max-age=60"], b"private, max-age=60"),
            ([b"no-cache"], b"private, no-cache"),
            ([b'public, private="set-cookie"'], b'private, private="set-cookie"'),
        ],
    )
    def test_what_one_subject_got_is_kept_out_of_shared_caches(self, controls: list[bytes], kept: bytes) -> None:
        headers: Headers = [(b"etag", b"1"), *((b"cache-control", control) for control in controls)]
        assert kept_private(headers, "cookie") == [(b"etag", b"1"), (b"cache-control", kept), (b"vary", b"cookie")]

    @pytest.mark.parametrize("control", [b"private, max-age=9", b"no-store", b"Private", b"max-age=0, No-Store"])
    def test_what_is_private_already_is_not_touched(self, control: bytes) -> None:
        headers: Headers = [(b"cache-control", control), (b"etag", b"1")]
        assert kept_private(headers, "cookie") == headers

    def test_without_anything_to_vary_on_there_is_no_vary(self) -> None:
        assert kept_private([], "") == [(b"cache-control", b"private")]


class TestSubject:
    @pytest.mark.parametrize(
        ("text", "kind", "id_"),
        [
            ("person:42", SubjectKind.PERSON, "42"),
            ("account:a:b", SubjectKind.ACCOUNT, "a:b"),
            ("key:k", SubjectKind.KEY, "k"),
            ("visitor:v", SubjectKind.VISITOR, "v"),
            ("42", SubjectKind.PERSON, "42"),
            ("urn:user:42", SubjectKind.PERSON, "urn:user:42"),
            ("Person:42", SubjectKind.PERSON, "Person:42"),
            ("person:", SubjectKind.PERSON, "person:"),
            (":x", SubjectKind.PERSON, ":x"),
        ],
    )
    def test_is_read_as_an_operator_writes_it(self, text: str, kind: SubjectKind, id_: str) -> None:
        assert Subject.parse(text) == Subject(kind, id_)

    @pytest.mark.parametrize("id_", ["", "x" * (ID_BYTES_LIMIT + 1), "é" * (ID_BYTES_LIMIT // 2 + 1)])
    def test_has_an_id_of_sensible_size(self, id_: str) -> None:
        with pytest.raises(ValueError, match="1 to 512 bytes"):
            Subject(SubjectKind.PERSON, id_)

    @given(st.sampled_from(SubjectKind), st.text(st.characters(), min_size=1, max_size=100))
    def test_is_written_so_that_it_is_read_again(self, kind: SubjectKind, id_: str) -> None:
        subject = Subject(kind, id_)
        assert Subject.parse(str(subject)) == subject

    @given(st.sets(st.tuples(st.sampled_from(SubjectKind), st.text(st.characters(), min_size=1)), min_size=2))
    def test_different_subjects_have_different_keys(self, them: set[tuple[SubjectKind, str]]) -> None:
        keys = {Subject(kind, id_).key for kind, id_ in them}
        assert len(keys) == len(them)
        assert all(len(key) == 22 and key.isascii() for key in keys)

    def test_keeps_its_key_for_ever(self) -> None:
        # What the store has under this key must be found after every upgrade.
        assert Subject.parse("person:42").key == "99S4_9IrSUvzqnyekTOEeA"


class TestKeyring:
    def test_keys_of_different_purposes_and_secrets_have_nothing_in_common(self) -> None:
        keys = {
            Keyring(secret).key(purpose) for secret in (b"a" * 16, b"b" * 16) for purpose in ("a", "b", "", "a\x01")
        }
        assert len(keys) == 8
        assert all(len(key) == 32 for key in keys)

    def test_a_key_is_the_same_after_a_restart(self) -> None:
        assert Keyring(b"s" * 16).key("holds") == Keyring(b"s" * 16).key("holds")

    def test_a_short_secret_is_refused(self) -> None:
        with pytest.raises(ValueError, match="15 bytes"):
            Keyring(b"s" * 15)

    def test_shows_no_secret(self) -> None:
        assert repr(Keyring(b"visible-secret!!")) == "Keyring(...)"

    def test_a_pseudonym_depends_on_the_secret_and_is_stable(self) -> None:
        subject = Subject.parse("person:42")
        ours, theirs = Keyring(b"a" * 16), Keyring(b"b" * 16)
        assert ours.pseudonym(subject) == Keyring(b"a" * 16).pseudonym(subject) != theirs.pseudonym(subject)
        assert len(ours.pseudonym(subject)) == 16
        assert len(ours.pseudonym(Subject.parse("person:\ud800"))) == 16

    @given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
    def test_no_part_of_a_tag_can_be_shifted_into_another(self, parts: list[str], others: list[str]) -> None:
        assert (tag(b"k", *parts) == tag(b"k", *others)) is (parts == others)

    @pytest.mark.parametrize(
        ("one", "other"), [(["ab", "c"], ["a", "bc"]), (["ab"], ["a", "b"]), (["", "a"], ["a", ""]), ([], [""])]
    )
    def test_where_the_parts_are_cut_counts(self, one: list[str], other: list[str]) -> None:
        assert tag(b"k", *one) != tag(b"k", *other)

    def test_a_tag_has_the_size_that_was_asked_for_and_needs_its_key(self) -> None:
        assert len(tag(b"k", "a", size=6)) == 8
        assert tag(b"k", "a") != tag(b"l", "a")

    @pytest.mark.parametrize(
        ("left", "right", "equal"),
        [("a", "a", True), ("a", b"a", True), ("é", "é".encode(), True), ("a", "b", False), ("a", "aa", False)],
    )
    def test_comparing(self, left: str | bytes, right: str | bytes, equal: bool) -> None:
        assert same(left, right) is equal


EVERY_RIGHT = SubjectState(
    trial_started=1, trial_ends=NOW + 1, entitled_until=NOW + 1, credits=1, window_ends=NOW + 1, window_left=1
)
ENDED = SubjectState(trial_started=1, trial_ends=NOW)


class TestStanding:
    @pytest.mark.parametrize(
        ("state", "grace", "standing"),
        [
            # The most favourable right wins: each row takes one away.
            (EVERY_RIGHT, 1, Standing.ENTITLED),
            (replace(EVERY_RIGHT, entitled_until=NOW), 1, Standing.ENTITLED),
            (replace(EVERY_RIGHT, entitled_until=NOW, credits=0), 1, Standing.TRIAL),
            (replace(EVERY_RIGHT, entitled_until=NOW, credits=0, trial_ends=NOW), 1, Standing.WINDOW),
            (ENDED, 1, Standing.GRACE),
            (ENDED, 0, Standing.EXPIRED),
            # Who never began is on trial.
            (SubjectState(), 0, Standing.TRIAL),
            (SubjectState(declined_at=1), 0, Standing.TRIAL),
            (replace(ENDED, trial_ends=NOW + 1), 0, Standing.TRIAL),
            # A window needs both time and results.
            (replace(ENDED, window_ends=NOW + 1), 0, Standing.EXPIRED),
            (replace(ENDED, window_ends=NOW, window_left=1), 0, Standing.EXPIRED),
            (replace(ENDED, window_ends=NOW + 1, window_left=1, declined_at=1), 0, Standing.WINDOW),
            # Grace is used up; who said no has none.
            (replace(ENDED, grace_used=1), 2, Standing.GRACE),
            (replace(ENDED, grace_used=2), 2, Standing.EXPIRED),
            (replace(ENDED, declined_at=1), 2, Standing.DECLINED),
            (replace(ENDED, declined_at=1, credits=1), 2, Standing.ENTITLED),
        ],
    )
    def test_most_favourable_right_first(self, state: SubjectState, grace: int, standing: Standing) -> None:
        assert state.standing(grace, NOW) is standing


@pytest.mark.parametrize(
    ("methods", "method", "allowed"),
    [
        (set(), "BREW", True),
        ({"GET"}, "GET", True),
        ({"GET"}, "HEAD", True),
        ({"POST"}, "HEAD", False),
        ({"HEAD"}, "GET", False),
        ({"GET"}, "POST", False),
    ],
)
def test_a_rule_speaks_of_its_methods(methods: set[str], method: str, allowed: bool) -> None:
    assert Rule("r", RouteClass.RESULT, methods=frozenset(methods)).allows_method(method) is allowed
