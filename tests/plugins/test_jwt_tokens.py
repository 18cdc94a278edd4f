"""Which tokens are believed, and which are not."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Identified, Rejected
from gateway_identity_jwt import plugin
from gateway_identity_jwt.claims import check_times, subject_id
from gateway_identity_jwt.provider import JwtIdentity
from gateway_identity_jwt.token import Unfit, read_head
from tests.plugins.host import START_MS, FakeHost
from tests.plugins.identify import bearer, running
from tests.plugins.keys import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    KEY_OF,
    NOW,
    SECRET,
    b64,
    hs256,
    private_key,
    public_jwk,
    public_pem,
    signed,
    with_hmac,
)
from tests.plugins.samples import calmly

ADA = Subject(SubjectKind.PERSON, "ada")
HEADER = b64({"alg": "HS256"})


def without(*names: str, **others: object) -> dict[str, object]:
    return {name: value for name, value in {**CLAIMS, **others}.items() if name not in names}


def settings(tmp_path: Path, **others: object) -> dict[str, object]:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    return {"secret": {"file": str(secret)}, "issuer": ISSUER, "audience": AUDIENCE, **others}


def public_key_settings(tmp_path: Path, key: str, *algorithms: str) -> dict[str, object]:
    pem = tmp_path / "public.pem"
    pem.write_bytes(public_pem(key))
    return {"public_key": {"file": str(pem)}, "issuer": ISSUER, "audience": AUDIENCE, "algorithms": algorithms}


@pytest.fixture
async def identity(tmp_path: Path) -> AsyncIterator[JwtIdentity]:
    async with running(plugin, settings(tmp_path), FakeHost()) as provider:
        yield provider


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_token_under_the_secret_names_its_subject(tmp_path: Path, algorithm: str) -> None:
    async with running(plugin, settings(tmp_path, algorithms=[algorithm]), FakeHost()) as identity:
        answer = await identity.identify(bearer(jwt.encode(CLAIMS, SECRET, algorithm)))
    assert isinstance(answer, Identified)
    assert answer.subject == ADA
    assert answer.claims == CLAIMS


@pytest.mark.parametrize(("algorithm", "key"), [*KEY_OF.items(), ("EdDSA", "ed448")])
async def test_a_token_under_the_public_key_names_its_subject(tmp_path: Path, algorithm: str, key: str) -> None:
    async with running(plugin, public_key_settings(tmp_path, key, algorithm), FakeHost()) as identity:
        answer = await identity.identify(bearer(signed(algorithm, key)))
        other = await identity.identify(bearer(signed(algorithm, f"{key}-other")))
    assert isinstance(answer, Identified)
    assert answer.subject == ADA
    assert other == Rejected("has a signature that does not fit")


GOOD = {
    "no type": with_hmac(HEADER, b64(CLAIMS)),
    "access token": hs256(typ="at+jwt"),
    "type with application/": hs256(typ="application/AT+JWT"),
    "brings certificates of its own, which are not read": hs256(x5c=["MIIB"], x5t="abc"),
    "several audiences": hs256(without(aud=["other", AUDIENCE])),
    "expired within the leeway": hs256(without(exp=NOW - 29)),
    "issued by a clock that is ahead": hs256(without(iat=NOW + 29, nbf=NOW + 29)),
    "times with fractions": hs256(without(exp=NOW + 1.5, iat=NOW - 0.5)),
    "a key id nobody asked for": hs256(kid="2024-01"),
}


@pytest.mark.parametrize("token", GOOD.values(), ids=GOOD)
async def test_unusual_good_tokens_are_believed(identity: JwtIdentity, token: str) -> None:
    answer = await identity.identify(bearer(token))
    assert isinstance(answer, Identified), answer
    assert answer.subject == ADA


ALGORITHM, MALFORMED = "is signed with an algorithm that is not allowed", "is malformed"
SIGNATURE, EXTENSION = "has a signature that does not fit", "asks for an extension that is not supported"
NO_TEXT, NO_TIME = "has no text in sub", "has a time in exp that is no number of seconds"
GOOD_SIGNATURE = hs256().rpartition(".")[2]
PLAIN = json.dumps(CLAIMS)[1:]

HOSTILE: dict[str, tuple[str, str]] = {
    # Algorithms and keys
    "alg none": (f"{b64({'alg': 'none'})}.{b64(CLAIMS)}.", ALGORITHM),
    "alg None in other case": (f"{b64({'alg': 'nOnE'})}.{b64(CLAIMS)}.", ALGORITHM),
    "no alg": (with_hmac(b64({"typ": "JWT"}), b64(CLAIMS)), ALGORITHM),
    "alg of another type": (with_hmac(b64({"alg": ["HS256"]}), b64(CLAIMS)), ALGORITHM),
    "alg that is not listed": (jwt.encode(CLAIMS, SECRET, "HS512"), ALGORITHM),
    "alg in other case": (with_hmac(b64({"alg": "hs256"}), b64(CLAIMS)), ALGORITHM),
    "RS256 where a secret is expected": (signed("RS256"), ALGORITHM),
    "another secret": (hs256(secret=b"x" * 32), SIGNATURE),
    "empty secret": (hs256(secret=b""), SIGNATURE),
    "no signature": (hs256().rpartition(".")[0] + ".", SIGNATURE),
    "signature of another token": (hs256(without(sub="eve")).rpartition(".")[0] + "." + GOOD_SIGNATURE, SIGNATURE),
    "signature cut short": (hs256()[:-4], SIGNATURE),
    "brings its own key": (hs256(secret=b"m" * 32, jwk={"kty": "oct", "k": b64(b"m" * 32)}), SIGNATURE),
    "says where its key is": (hs256(secret=b"m" * 32, jku="https://evil.example/jwks.json"), SIGNATURE),
    "says where its certificate is": (hs256(secret=b"m" * 32, x5u="file:///etc/passwd"), SIGNATURE),
    "key id as a path": (hs256(secret=b"", kid="../../../../dev/null"), SIGNATURE),
    "key id as a query": (hs256(secret=b"m" * 32, kid="' UNION SELECT 'm"), SIGNATURE),
    "key id that is no text": (hs256(kid=7), MALFORMED),
    "key id without end": (hs256(kid="k" * 257), MALFORMED),
    # Extensions and types
    "critical extension": (hs256(crit=["exp"], exp=NOW), EXTENSION),
    "empty crit": (hs256(crit=[]), EXTENSION),
    "payload that is not encoded": (with_hmac(b64({"alg": "HS256", "b64": False, "crit": ["b64"]}), "x"), MALFORMED),
    "b64 false beside an encoded payload": (hs256(b64=False, crit=["b64"]), EXTENSION),
    "b64 false without crit": (hs256(b64=False), EXTENSION),
    "b64 true": (hs256(b64=True, crit=["b64"]), EXTENSION),
    "logout token": (hs256(typ="logout+jwt"), "is of a type that is not accepted here"),
    "security event": (hs256(typ="application/secevent+jwt"), "is of a type that is not accepted here"),
    "type that is no text": (hs256(typ=["JWT"]), "is of a type that is not accepted here"),
    # Encoding
    "padding": (hs256() + "=", MALFORMED),
    "padding inside": (hs256().replace(".", "=.", 1), MALFORMED),
    "signature in another spelling": (hs256()[:-1] + chr(ord(hs256()[-1]) + 1), MALFORMED),
    "ordinary base64": (
        with_hmac(HEADER, base64.b64encode(json.dumps(without(n="???>>>")).encode()).decode()),
        MALFORMED,
    ),
    "empty segments": ("..", MALFORMED),
    "header that is not JSON": (with_hmac(b64("{"), b64(CLAIMS)), MALFORMED),
    "header that is a list": (with_hmac(b64("[]"), b64(CLAIMS)), MALFORMED),
    "payload that is not JSON": (hs256("nonsense"), MALFORMED),
    "payload that is a text": (hs256('"ada"'), MALFORMED),
    "payload that is no UTF-8": (with_hmac(HEADER, b64(b'{"sub":"\xff"}')), MALFORMED),
    "nested without end": (with_hmac(HEADER, b64("[" * 5900)), MALFORMED),
    "1 MB": (hs256(without(note="x" * 1_000_000)), "is longer than 8 KiB"),
    "just above the limit": (hs256(without(note="x" * 6000)), "is longer than 8 KiB"),
    "a claim twice": (hs256('{"sub":"eve",' + PLAIN), "names a claim twice"),
    "alg twice": (with_hmac(b64('{"alg":"none","alg":"HS256"}'), b64(CLAIMS)), "names a claim twice"),
    # Claims
    "another issuer": (hs256(without(iss="https://evil.example")), "is from another issuer"),
    "issuer in a list": (hs256(without(iss=[ISSUER])), "is from another issuer"),
    "no issuer": (hs256(without("iss")), "has no iss"),
    "another audience": (hs256(without(aud="other")), "is for another audience"),
    "audience that contains ours": (hs256(without(aud=AUDIENCE + "-test")), "is for another audience"),
    "no audience": (hs256(without("aud")), "has no aud"),
    "expired": (hs256(without(exp=NOW - 30)), "has expired"),
    "no expiry": (hs256(without("exp")), "has no expiry"),
    "expiry null": (hs256(without(exp=None)), NO_TIME),
    "expiry as text": (hs256(without(exp=str(NOW + 60))), NO_TIME),
    "expiry true": (hs256(without(exp=True)), NO_TIME),
    "expiry NaN": (hs256('{"exp":NaN,"sub":"ada"}'), MALFORMED),
    "expiry infinite": (hs256('{"exp":1e999,' + json.dumps(without("exp"))[1:]), NO_TIME),
    "not valid yet": (hs256(without(nbf=NOW + 31)), "is not valid yet"),
    "issued in the future": (hs256(without(iat=NOW + 31)), "is issued in the future"),
    "no subject": (hs256(without("sub")), "has no sub"),
    "subject is a number": (hs256(without(sub=7)), NO_TEXT),
    "subject is an object": (hs256(without(sub={"id": "ada"})), NO_TEXT),
    "subject is empty": (hs256(without(sub="")), "has no plain text in sub"),
    "subject with a line break": (hs256(without(sub="ada\nx")), "has no plain text in sub"),
    "subject with half a character": (hs256(without(sub="\ud800")), "has no plain text in sub"),
    "subject without end": (hs256(without(sub="a" * 513)), "has more than 512 bytes in sub"),
}


@pytest.mark.parametrize(("token", "why"), HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_token_is_rejected_and_said_why(identity: JwtIdentity, token: str, why: str) -> None:
    assert await identity.identify(bearer(token)) == Rejected(why)


NAIVELY_BELIEVED = [
    "logout token",
    "padding",
    "a claim twice",
    "alg twice",
    "no expiry",
    "security event",
    "expiry as text",
]


@pytest.mark.parametrize("name", NAIVELY_BELIEVED)
def test_the_library_alone_believes_some_of_them(name: str) -> None:
    """The known-bad twin: without the plugin's own rules these pass, so the table above does test the plugin."""
    years = 10 * 365 * 24 * 3600  # the tests' clock stands still, the library's does not
    claims = jwt.decode(HOSTILE[name][0], SECRET, ["HS256"], issuer=ISSUER, audience=AUDIENCE, leeway=years)
    assert claims["sub"] == "ada"


async def test_the_public_key_is_no_secret(tmp_path: Path) -> None:
    """HS256 under the public key's own text, which everyone knows: the classical confusion."""
    async with running(plugin, public_key_settings(tmp_path, "rsa", "RS256"), FakeHost()) as identity:
        for text in (public_pem("rsa"), public_pem("rsa").strip(), json.dumps(public_jwk("rsa", None)).encode()):
            assert await identity.identify(bearer(hs256(secret=text))) == Rejected(ALGORITHM)


async def test_a_key_verifies_only_its_own_algorithms(tmp_path: Path) -> None:
    async with running(plugin, public_key_settings(tmp_path, "rsa", "RS256", "ES256"), FakeHost()) as identity:
        assert isinstance(await identity.identify(bearer(signed("RS256"))), Identified)
        assert await identity.identify(bearer(signed("PS256"))) == Rejected(ALGORITHM)
        assert await identity.identify(bearer(signed("ES256"))) == Rejected("is signed with a key that is not known")


async def test_an_embedded_key_is_not_used(tmp_path: Path) -> None:
    async with running(plugin, public_key_settings(tmp_path, "rsa", "RS256"), FakeHost()) as identity:
        token = signed("RS256", "rsa-other", jwk=public_jwk("rsa-other", None))
        assert await identity.identify(bearer(token)) == Rejected(SIGNATURE)


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\0" * 63, b"\xff" * 64, b"\0" * 32 + b"\1" * 32])
async def test_an_elliptic_signature_of_nothing_is_rejected(tmp_path: Path, signature: bytes) -> None:
    """CVE-2022-21449, "psychic signatures"."""
    async with running(plugin, public_key_settings(tmp_path, "p256", "ES256"), FakeHost()) as identity:
        token = signed("ES256").rpartition(".")[0] + "." + b64(signature)
        assert await identity.identify(bearer(token)) == Rejected(SIGNATURE)


async def test_a_der_encoded_elliptic_signature_is_rejected(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    head = signed("ES256").rpartition(".")[0]
    async with running(plugin, public_key_settings(tmp_path, "p256", "ES256"), FakeHost()) as identity:
        der = private_key("p256").sign(head.encode(), ECDSA(SHA256()))
        assert await identity.identify(bearer(f"{head}.{b64(der)}")) == Rejected(SIGNATURE)


async def test_an_audience_must_be_configured_when_tokens_have_one(tmp_path: Path) -> None:
    async with running(plugin, settings(tmp_path, audience=None), FakeHost()) as identity:
        assert await identity.identify(bearer(hs256())) == Rejected("is for an audience, and the config names none")
        assert isinstance(await identity.identify(bearer(hs256(without("aud")))), Identified)


async def test_tokens_without_expiry_can_be_allowed(tmp_path: Path) -> None:
    host = FakeHost()
    async with running(plugin, settings(tmp_path, require_expiry=False), host) as identity:
        assert isinstance(await identity.identify(bearer(hs256(without("exp")))), Identified)
        assert await identity.identify(bearer(hs256(without(exp=NOW - 60)))) == Rejected("has expired")


@pytest.mark.parametrize(("value", "expected"), [(42, "42"), ("42", "42"), (True, None), (-1, None), (1.5, None)])
async def test_a_row_number_in_another_claim_is_read_as_text(
    tmp_path: Path, value: object, expected: str | None
) -> None:
    async with running(plugin, settings(tmp_path, subject="user_id", kind="account"), FakeHost()) as identity:
        answer = await identity.identify(bearer(hs256(without(user_id=value))))
    if expected is None:
        assert answer == Rejected("has no text in user_id")
    else:
        assert isinstance(answer, Identified)
        assert answer.subject == Subject(SubjectKind.ACCOUNT, expected)


async def test_a_remembered_token_ends_with_its_expiry(tmp_path: Path) -> None:
    host = FakeHost()
    async with running(plugin, settings(tmp_path, leeway="0s"), host) as identity:
        token = bearer(hs256(without(exp=NOW + 20)))
        assert isinstance(await identity.identify(token), Identified)
        host.pass_time(19_999)
        assert isinstance(await identity.identify(token), Identified)
        host.pass_time(1)
        assert await identity.identify(token) == Rejected("has expired")


async def test_what_is_remembered_is_bounded(identity: JwtIdentity) -> None:
    for number in range(2100):
        await identity.identify(bearer(hs256(without(sub=f"user-{number}"))))
    assert len(identity._verified) == 2048


@calmly
@given(st.binary(max_size=300) | st.from_regex(rb"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}"))
def test_no_bytes_make_the_reader_fail(token: bytes) -> None:
    with contextlib.suppress(Unfit):
        read_head(token, ("HS256",), ("jwt",))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=3),
    max_leaves=3,
)


@calmly
@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "sub"]), JSON))
def test_no_claims_make_the_checks_fail(claims: dict[str, object]) -> None:
    for check in (lambda: check_times(claims, START_MS, 0, True), lambda: subject_id(claims, "sub")):
        with contextlib.suppress(Unfit):
            check()
