"""Keys that an issuer publishes: fetched once, kept fresh, kept through an outage, and never in anybody's way."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from gateway.core.quantity import HOUR, MINUTE, SECOND
from gateway.ports.identity import Identified, Rejected
from gateway_identity_jwt import plugin
from gateway_identity_jwt.jwks import PublishedKeys
from gateway_identity_jwt.keys import KeySet, from_jwk, read_key_set
from gateway_identity_jwt.provider import UNAVAILABLE, JwtIdentity
from tests.plugins.host import FakeHost
from tests.plugins.identify import bearer, running
from tests.plugins.issuer import Issuer, issuer_with, until
from tests.plugins.keys import AUDIENCE, CLAIMS, ISSUER, NOW, hs256, private_key, public_jwk, signed

UNKNOWN = Rejected("is signed with a key that is not known")
ALL = ("RS256", "PS256", "ES256", "ES384", "EdDSA")


def token(name: str = "p256", key_id: str | None = "one", algorithm: str = "ES256", subject: str = "ada") -> Any:
    header = {} if key_id is None else {"kid": key_id}
    return bearer(signed(algorithm, name, {**CLAIMS, "sub": subject, "exp": NOW + 40 * 3600}, **header))


@asynccontextmanager
async def identity_of(issuer: Issuer, host: FakeHost) -> AsyncIterator[JwtIdentity]:
    settings: dict[str, object] = {"jwks": issuer.address, "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ALL}
    async with running(plugin, settings, host) as identity:
        yield identity


def names(answer: object, subject: str = "ada") -> bool:
    return isinstance(answer, Identified) and answer.subject.id == subject


async def test_a_thousand_first_requests_fetch_once() -> None:
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, FakeHost()) as identity:
        answers = await asyncio.gather(*(identity.identify(token(subject="ada")) for _ in range(1000)))
        assert all(names(answer) for answer in answers)
        assert issuer.fetches == 1


async def test_ten_thousand_unknown_keys_fetch_once_more() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        host.pass_time(31 * SECOND)
        for number in range(10_000):
            assert await identity.identify(bearer(hs256(kid=f"{number}", alg="ES256"))) == UNKNOWN
        assert issuer.fetches == 2


async def test_every_kind_of_key_verifies() -> None:
    kinds = {"rsa": "PS256", "p256": "ES256", "p384": "ES384", "ed25519": "EdDSA"}
    published = [public_jwk(name, name) for name in kinds]
    async with issuer_with(*published) as issuer, identity_of(issuer, FakeHost()) as identity:
        for name, algorithm in kinds.items():
            assert names(await identity.identify(token(name, name, algorithm)))
        assert names(await identity.identify(token("rsa", "rsa", "RS256")))


async def test_an_issuer_that_is_down_does_not_keep_the_gateway_down_and_is_asked_again() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer:
        issuer.respond = lambda: web.Response(status=503)
        async with identity_of(issuer, host) as identity:
            assert await identity.identify(token()) == UNAVAILABLE
            assert host.lines == [f"keys of {issuer.address}: they can't be fetched: the answer has status 503"]
            assert await identity.identify(token()) == UNAVAILABLE
            assert issuer.fetches == 1, "an issuer that is down is left in peace for a moment"
            issuer.respond = None
            host.pass_time(2 * SECOND)
            assert names(await identity.identify(token()))
            assert host.lines[-1] == f"keys of {issuer.address}: all is well again"


async def test_an_outage_is_survived_for_a_day_and_no_longer() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        await issuer.close()
        host.pass_time(6 * MINUTE)
        assert names(await identity.identify(token(subject="bob")), "bob")
        await until(lambda: any("can't be fetched" in line for line in host.lines))
        assert names(await identity.identify(token(subject="cid")), "cid")
        assert await identity.identify(token("p256-other", "new")) == UNAVAILABLE, "may be a new key"
        host.pass_time(24 * HOUR)
        assert await identity.identify(token()) == UNAVAILABLE


async def test_a_new_key_is_taken_at_once_and_the_old_one_is_dropped() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        issuer.keys = [public_jwk("p256-other", "two")]
        host.pass_time(31 * SECOND)
        assert names(await identity.identify(token()), "ada"), "nobody has told the gateway yet"
        assert names(await identity.identify(token("p256-other", "two")))
        assert await identity.identify(token()) == UNKNOWN, "also when it was remembered as verified"


async def test_a_withdrawn_key_is_noticed_without_a_new_one() -> None:
    host = FakeHost()
    first, second = public_jwk("p256", "one"), public_jwk("p384", "two")
    async with issuer_with(first, second) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        issuer.keys = [second]
        host.pass_time(6 * MINUTE)
        assert names(await identity.identify(token())), "the refresh is in the background"
        await until(lambda: issuer.fetches == 2)
        while names(await identity.identify(token())):
            await asyncio.sleep(0.005)
        assert await identity.identify(token()) == UNKNOWN


async def test_keys_stay_fresh_on_a_quiet_night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_identity_jwt.jwks._LOOK_EVERY_S", 0.01)
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host):
        await until(lambda: issuer.fetches == 1)
        host.pass_time(6 * MINUTE)
        await until(lambda: issuer.fetches == 2)


async def test_known_keys_verify_while_the_issuer_hangs() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        issuer.release = asyncio.Event()
        host.pass_time(6 * MINUTE)
        assert names(await identity.identify(token(subject="bob")), "bob")
        await asyncio.wait_for(issuer.hung.wait(), 5)
        assert names(await identity.identify(token(subject="cid")), "cid")
        assert issuer.fetches == 2, "the hung fetch is still under way"


async def test_a_client_that_leaves_does_not_end_the_fetch_for_the_others() -> None:
    async with issuer_with(public_jwk("p256", "one")) as issuer:
        issuer.release = asyncio.Event()
        async with identity_of(issuer, FakeHost()) as identity:
            impatient = asyncio.create_task(identity.identify(token()))
            patient = asyncio.create_task(identity.identify(token()))
            await asyncio.wait_for(issuer.hung.wait(), 5)
            impatient.cancel()
            issuer.release.set()
            assert names(await patient)
            assert issuer.fetches == 1


def _huge() -> web.Response:
    return web.Response(body=b'{"keys": [' + b" " * 300_000 + b"]}")


def _bomb() -> web.Response:
    return web.Response(body=gzip.compress(b" " * 50_000_000), headers={"content-encoding": "gzip"})


@pytest.mark.parametrize(
    ("respond", "why"),
    [
        (
            lambda: web.Response(status=302, headers={"location": "/elsewhere"}),
            "the address redirects, and that is not followed: give the final address",
        ),
        (_huge, "the answer is larger than 256 KiB"),
        (_bomb, "the answer is larger than 256 KiB"),
        (lambda: web.Response(text="<html>"), "the answer is not JSON"),
        (lambda: web.Response(text="[" * 100_000), "the answer is not JSON"),
        (lambda: web.json_response([]), "the answer is no set of keys"),
        (lambda: web.json_response({"keys": []}), "the answer holds no usable key"),
        (lambda: web.Response(status=204), "the answer has status 204"),
    ],
)
async def test_a_bad_answer_is_refused_and_the_keys_in_hand_stay(respond: Any, why: str) -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        issuer.respond = respond
        host.pass_time(6 * MINUTE)
        await identity.identify(token())
        await until(lambda: bool(host.lines))
        assert host.lines == [f"keys of {issuer.address}: they can't be fetched: {why}"]
        assert names(await identity.identify(token(subject="bob")), "bob")
        assert issuer.paths == ["/jwks.json"] * 2, "a redirect is not followed"


async def test_a_key_id_never_becomes_part_of_an_address() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        host.pass_time(31 * SECOND)
        assert await identity.identify(token("p256-other", "../../secret?x=1")) == UNKNOWN
        assert issuer.paths == ["/jwks.json"] * 2


async def test_the_same_complaint_is_logged_once() -> None:
    host = FakeHost()
    async with issuer_with() as issuer, identity_of(issuer, host) as identity:
        for _ in range(5):
            await identity.identify(token())
            host.pass_time(3 * SECOND)
        assert issuer.fetches == 5
        assert host.lines == [f"keys of {issuer.address}: they can't be fetched: the answer holds no usable key"]


async def test_a_secret_in_the_address_is_not_logged() -> None:
    host = FakeHost()
    keys = PublishedKeys("http://127.0.0.1:1/jwks?token=hush", ALL, host, lambda: None)
    try:
        await keys.start()
        await until(lambda: bool(host.lines))
    finally:
        await keys.stop()
    assert "hush" not in "".join(host.lines)


async def test_stopping_ends_a_hung_fetch() -> None:
    async with issuer_with() as issuer:
        issuer.release = asyncio.Event()
        async with identity_of(issuer, FakeHost()) as identity:
            waiting = asyncio.create_task(identity.identify(token()))
            await asyncio.wait_for(issuer.hung.wait(), 5)
        assert await asyncio.wait_for(waiting, 5) == UNAVAILABLE


async def test_a_clock_set_back_does_not_stop_the_refresh() -> None:
    host = FakeHost()
    async with issuer_with(public_jwk("p256", "one")) as issuer, identity_of(issuer, host) as identity:
        assert names(await identity.identify(token()))
        host.pass_time(-HOUR)
        assert await identity.identify(token("p256-other", "two")) == UNKNOWN
        assert issuer.fetches == 2


def key_set(*keys: object) -> tuple[KeySet | None, list[str]]:
    complaints: list[str] = []
    try:
        return read_key_set(json.dumps({"keys": keys}).encode(), ALL, complaints.append), complaints
    except ValueError:
        return None, complaints


GOOD = public_jwk("p256", "good")
UNUSABLE = {
    "not an object": ("key", "it is no JSON object"),
    "for encryption": (public_jwk("rsa", "k", use="enc"), "it is not meant for signatures"),
    "for signing only": (public_jwk("rsa", "k", key_ops=["sign"]), "it is not meant for signatures"),
    "for another algorithm": (
        public_jwk("rsa", "k", alg="RSA-OAEP"),
        "it is meant for an algorithm that is not allowed",
    ),
    "for HS256": (public_jwk("rsa", "k", alg="HS256"), "it is meant for an algorithm that is not allowed"),
    "for the algorithm of another kind": (public_jwk("rsa", "k", alg="ES256"), "the key is of another kind"),
    "a shared secret": (
        {"kty": "oct", "k": "AAAA"},
        "it is a private or shared key, and published: whoever reads it can sign",
    ),
    "weak": (public_jwk("rsa1024", "k"), "an RSA key must have 2048 to 8192 bits and a usual exponent"),
    "of a curve nobody allowed": (public_jwk("p521", "k"), "the key is of another kind"),
    "of an unknown kind": ({"kty": "AKP", "kid": "k"}, "it is of an unknown kind"),
    "without a kind": ({"kid": "k"}, "it is of an unknown kind"),
    "of a kind that is no text": ({"kty": [], "kid": "k"}, "it is of an unknown kind"),
    "not on its curve": ({**public_jwk("p256", "k"), "y": public_jwk("p256", "k")["x"]}, "InvalidKeyError"),
    "without numbers": ({"kty": "RSA", "kid": "k"}, "InvalidKeyError"),
    "with numbers of another type": ({"kty": "RSA", "n": 5, "e": [], "kid": "k"}, "InvalidKeyError"),
}


@pytest.mark.parametrize(("jwk", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_key_is_left_out_and_costs_no_other(jwk: object, why: str) -> None:
    keys, complaints = key_set(jwk, GOOD)
    assert keys is not None
    assert [name for name, _ in keys.keys] == ["good"]
    assert complaints == [f"key 1 is left out: {why}"]


def test_a_published_private_key_is_not_trusted() -> None:
    from jwt.algorithms import ECAlgorithm

    jwk = ECAlgorithm.to_jwk(private_key("p256"), as_dict=True)
    with pytest.raises(ValueError, match="whoever reads it can sign"):
        from_jwk(jwk, ALL)


def test_a_token_that_names_no_key_is_taken_only_without_a_choice() -> None:
    keys, _ = key_set(public_jwk("p256", "a"), public_jwk("rsa", "b"), public_jwk("rsa-other", "c"))
    assert keys is not None
    assert keys.find(None, "ES256") is not None
    assert keys.find(None, "RS256") is None
    assert keys.find("b", "RS256") is not None
    assert keys.find("b", "ES256") is None


def test_a_key_bound_to_an_algorithm_verifies_no_other() -> None:
    keys, _ = key_set(public_jwk("rsa", "a", alg="PS256", use="sig", key_ops=["verify"]))
    assert keys is not None
    assert keys.find("a", "RS256") is None
    assert keys.find("a", "PS256") is not None
