"""Subjects by API key: one per key, and the key itself is nowhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Identified, Rejected
from gateway_identity_api_key import plugin
from gateway_identity_api_key.settings import ApiKeySettings
from tests.plugins.host import FakeHost
from tests.plugins.identify import request, running

KEY = "sk_live_4f9a"
TWICE, MALFORMED = Rejected("is sent more than once, with different values"), Rejected("is malformed")


async def ask(settings: dict[str, object], *headers: tuple[str, str | bytes]) -> Identified | Rejected | None:
    async with running(plugin, settings, FakeHost()) as identity:
        answer: Identified | Rejected | None = await identity.identify(request(*headers))
    return answer


async def test_each_key_is_a_subject_and_is_not_kept() -> None:
    one = await ask({}, ("x-api-key", KEY))
    same = await ask({}, ("x-api-key", f" {KEY}\t"))
    other = await ask({}, ("x-api-key", KEY + "b"))
    assert isinstance(one, Identified) and isinstance(other, Identified)
    assert one == same
    assert one.subject.kind is SubjectKind.KEY
    assert len(one.subject.id) == 32
    assert one.subject != other.subject
    assert KEY not in repr(one)
    assert one.subject.id not in (hashlib.sha256(KEY.encode()).hexdigest()[:32],), (
        "nobody without the secret can check it"
    )


async def test_a_key_is_found_where_the_config_says() -> None:
    both: dict[str, object] = {"from": ["header:X-Key", "bearer"]}
    answers = [await ask(both, ("x-key", KEY)), await ask(both, ("authorization", f"bearer {KEY}"))]
    assert isinstance(answers[0], Identified)
    assert answers[0] == answers[1] == await ask(both, ("x-key", KEY), ("authorization", f"Bearer {KEY}"))
    assert await ask(both, ("x-api-key", KEY)) is None
    assert await ask(both, ("authorization", f"Basic {KEY}")) is None
    assert await ask(both, ("x-key", "")) is None


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([("x-api-key", KEY), ("x-api-key", "other")], TWICE),
        ([("x-api-key", KEY), ("authorization", "Bearer other")], TWICE),
        ([("x-api-key", f"{KEY}, other")], MALFORMED),
        ([("x-api-key", b"\xff\xfe")], MALFORMED),
        ([("x-api-key", "k" * 1025)], MALFORMED),
    ],
)
async def test_a_key_that_may_be_read_otherwise_is_rejected(
    headers: list[tuple[str, str | bytes]], answer: Rejected
) -> None:
    assert await ask({"from": ["header:x-api-key", "bearer"]}, *headers) == answer


def known(tmp_path: Path, text: str) -> dict[str, object]:
    path = tmp_path / "keys"
    path.write_text(text)
    return {"known": {"file": str(path)}}


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


async def test_with_a_list_keys_have_names_and_others_are_rejected(tmp_path: Path) -> None:
    settings = known(tmp_path, f"# ours\nacme {digest(KEY)}\n\nacme {digest('next').upper()}\nzenith {digest('z')}\n")
    acme = Identified(Subject(SubjectKind.KEY, "acme"))
    assert await ask(settings, ("x-api-key", KEY)) == acme
    assert await ask(settings, ("x-api-key", "next")) == acme
    assert await ask(settings, ("x-api-key", "guess")) == Rejected("is not known")
    assert await ask(settings, ("x-api-key", digest(KEY))) == Rejected("is not known"), "the digest is not the key"
    assert await ask(settings) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"acme {KEY}", "line 1 of the known API keys can't be read: write NAME SHA256HEX"),
        (f"a {digest('k')}\nb {digest('k')}", "line 2 of the known API keys repeats a key under another name"),
    ],
)
async def test_a_list_that_can_not_be_read_names_the_line_and_shows_no_key(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        await ask(known(tmp_path, text))
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "places",
    ["query:key", "cookie:key", "header:", "header:a b", "header:x_key", "header:x.key", [], "header:Authorization"],
)
def test_other_places_are_refused(places: object) -> None:
    with pytest.raises(ValidationError, match="bearer"):
        ApiKeySettings.model_validate({"from": places})


def test_vary_names_what_was_looked_at() -> None:
    settings = ApiKeySettings.model_validate({"from": ["bearer", "header:X-Key"]})
    assert plugin.create(settings, FakeHost()).vary == ("authorization", "x-key")
