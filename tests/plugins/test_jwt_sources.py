"""Where a token is looked for, and what is a token at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.ports.identity import Identified, Rejected
from gateway_identity_jwt import plugin
from gateway_identity_jwt.memory import VerifiedTokens
from gateway_identity_jwt.settings import JwtSettings
from tests.plugins.host import FakeHost
from tests.plugins.identify import request, running
from tests.plugins.keys import CLAIMS, SECRET, hs256

TWICE = Rejected("is sent more than once, with different values")
PLACES = Rejected("is sent in several places, with different values")
MALFORMED = Rejected("is malformed")
TOKEN = hs256({**CLAIMS, "aud": ""})
OTHER = hs256({**CLAIMS, "aud": "", "sub": "eve"})


async def ask(tmp_path: Path, sources: object, *headers: tuple[str, str | bytes]) -> object:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    async with running(plugin, {"secret": {"file": str(secret)}, "from": sources}, FakeHost()) as identity:
        answer = await identity.identify(request(*headers))
    return answer.subject.id if isinstance(answer, Identified) else answer


EVERYWHERE = ["bearer", "cookie:session", "header:X-Token"]
FOUND = {
    "bearer": [("authorization", f"Bearer {TOKEN}")],
    "bearer in other case": [("authorization", f"bEARER   {TOKEN} ")],
    "cookie": [("cookie", f"a=b; session={TOKEN}; c=d")],
    "header": [("x-token", TOKEN)],
    "header with the word": [("x-token", f"Bearer {TOKEN}")],
    "everywhere the same": [("authorization", f"Bearer {TOKEN}"), ("cookie", f"session={TOKEN}"), ("x-token", TOKEN)],
    "the same cookie twice": [("cookie", f"session={TOKEN}; session={TOKEN}")],
    "beside an opaque bearer": [("authorization", "Bearer sk_live_123"), ("cookie", f"session={TOKEN}")],
    "beside another scheme": [("authorization", "Basic YTpi"), ("authorization", f"Bearer {TOKEN}")],
}


@pytest.mark.parametrize("headers", FOUND.values(), ids=FOUND)
async def test_a_token_is_found(tmp_path: Path, headers: list[tuple[str, str | bytes]]) -> None:
    assert await ask(tmp_path, EVERYWHERE, *headers) == "ada"


NOT_OURS = {
    "nothing": [],
    "no token": [("authorization", "Bearer")],
    "empty cookie": [("cookie", "session=")],
    "opaque bearer": [("authorization", "Bearer sk_live_123")],
    "encrypted token": [("authorization", "Bearer a.b.c.d.e")],
    "opaque bearer of unusual characters": [("authorization", "Bearer 12|s3cr3t")],
    "another scheme": [("authorization", f"Basic {TOKEN}")],
    "another cookie": [("cookie", f"sessions={TOKEN}")],
    "opaque cookie": [("cookie", "session=s%3Aabc.def")],
    "two opaque cookies": [("cookie", "session=abc; session=def")],
    "quoted opaque cookie": [("cookie", 'session="abc"')],
}


@pytest.mark.parametrize("headers", NOT_OURS.values(), ids=NOT_OURS)
async def test_what_is_no_jwt_is_left_to_others(tmp_path: Path, headers: list[tuple[str, str | bytes]]) -> None:
    assert await ask(tmp_path, EVERYWHERE, *headers) is None


AMBIGUOUS = {
    "two bearers": ([("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {OTHER}")], TWICE),
    "two cookies": ([("cookie", f"session={TOKEN}; session={OTHER}")], TWICE),
    "two cookie lines": ([("cookie", f"session={TOKEN}"), ("cookie", f"session={OTHER}")], TWICE),
    "a cookie beside an opaque one": ([("cookie", f"session={TOKEN}; session=abc")], TWICE),
    "two places": ([("authorization", f"Bearer {TOKEN}"), ("cookie", f"session={OTHER}")], PLACES),
    "two in one line": ([("authorization", f"Bearer {TOKEN}, Bearer {OTHER}")], MALFORMED),
    "two in one header": ([("x-token", f"{TOKEN},{OTHER}")], MALFORMED),
    "quoted": ([("cookie", f'session="{TOKEN}"')], MALFORMED),
    "dots escaped": ([("cookie", "session=" + TOKEN.replace(".", "%2E"))], MALFORMED),
    "dots escaped in octal": ([("cookie", 'session="' + TOKEN.replace(".", "\\056") + '"')], MALFORMED),
    "bytes that are no text": ([("authorization", b"Bearer a.b\xff.c")], MALFORMED),
}


@pytest.mark.parametrize(("headers", "answer"), AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_a_token_that_others_may_read_otherwise_is_rejected(
    tmp_path: Path, headers: list[tuple[str, str | bytes]], answer: Rejected
) -> None:
    assert await ask(tmp_path, EVERYWHERE, *headers) == answer


async def test_only_the_named_places_are_looked_at(tmp_path: Path) -> None:
    assert await ask(tmp_path, "cookie:session", ("authorization", f"Bearer {TOKEN}")) is None
    assert await ask(tmp_path, "bearer", ("cookie", f"session={TOKEN}")) is None


@pytest.mark.parametrize(
    ("sources", "vary"),
    [
        ("bearer", ("authorization",)),
        (["bearer", "cookie:a", "cookie:b"], ("authorization", "cookie")),
        ("header:X-Token", ("x-token",)),
    ],
)
def test_vary_names_what_was_looked_at(sources: object, vary: tuple[str, ...]) -> None:
    settings = JwtSettings.model_validate({"secret": {"env": "S"}, "from": sources})
    assert plugin.create(settings, FakeHost()).vary == vary


def test_the_token_not_asked_for_longest_makes_room() -> None:
    from gateway.core.subject import Subject

    tokens = VerifiedTokens(limit=2)
    ada, bob, cid = (Identified(Subject.parse(name)) for name in ("ada", "bob", "cid"))
    tokens.remember(b"a", ada, 0, None)
    tokens.remember(b"b", bob, 0, None)
    assert tokens.recall(b"a", 1) is ada
    tokens.remember(b"c", cid, 0, None)
    assert (tokens.recall(b"a", 1), tokens.recall(b"b", 1), tokens.recall(b"c", 1)) == (ada, None, cid)
    assert tokens.recall(b"a", 60_000) is None, "a minute is over"
