"""The scheme Payment against the reference SDK."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import mpp
import pytest
from eth_account import Account
from mpp.methods.evm import client as evm
from mpp.runtime import CredentialParams

from gateway.protocols import payment_scheme as scheme
from gateway.protocols.encoding import Malformed
from gateway.protocols.keccak import keccak256

from . import vectors

KEY = "a secret of the server's"
TOKEN, SELLER = vectors.REQUIREMENTS["asset"], vectors.REQUIREMENTS["pay_to"]
CHALLENGE = scheme.Challenge(
    realm="api.example.com",
    request=scheme.charge(10000, TOKEN, SELLER, 84532, 6),
    expires="2099-01-01T00:00:00Z",
    opaque=scheme.packed({"ticket": "t"}),
)


async def credential(challenge: scheme.Challenge = CHALLENGE) -> str:
    """What the reference client answers."""
    method = evm.charge(
        currency=TOKEN, account=Account.from_key("0x" + "11" * 32), chain_id=84532, decimals=6,
        authorization={"name": "USDC", "version": "2"},
    )  # fmt: skip
    read = mpp.Challenge.from_www_authenticate(challenge.header_value(KEY.encode(), 'say "hi"').decode())
    return await method.create_credential(CredentialParams(challenge=read))


@pytest.mark.parametrize("text", vectors.KECCAK)
def test_keccak_is_that_of_ethereum(text: bytes) -> None:
    assert keccak256(text).hex() == vectors.KECCAK[text]


@pytest.mark.parametrize("header", ["", "Payment-Authorization"])
@pytest.mark.parametrize("opaque", ["", CHALLENGE.opaque])
def test_a_challenge_has_the_id_that_the_reference_gives_it(opaque: str, header: str) -> None:
    ours = replace(CHALLENGE, opaque=opaque, header=header)
    theirs = mpp.Challenge.create(
        secret_key=KEY, realm=ours.realm, method="evm", intent="charge", request=scheme.read_packed(ours.request),
        expires=ours.expires, meta={"ticket": "t"} if opaque else None, header=header or None,
    )  # fmt: skip
    assert ours.id(KEY.encode()) == theirs.id
    read = mpp.Challenge.from_www_authenticate(ours.header_value(KEY.encode()).decode())
    assert read.verify(KEY, ours.realm) and read.request_b64 == theirs.request_b64


async def test_a_credential_of_the_reference_client_is_read() -> None:
    read = scheme.read_credential((await credential()).encode())
    assert read.is_ours(KEY.encode())
    assert read.challenge == CHALLENGE and read.opaque() == {"ticket": "t"}
    payload = scheme.x402_payload(read)
    assert payload["authorization"]["value"] == "10000"


@pytest.mark.parametrize(
    "change",
    [{"realm": "evil.example"}, {"expires": "2100-01-01T00:00:00Z"}, {"opaque": ""}, {"method": "tempo"},
     {"request": scheme.charge(1, TOKEN, SELLER, 84532, 6)}],
)  # fmt: skip
async def test_a_challenge_that_was_altered_is_not_ours(change: dict[str, str]) -> None:
    read = scheme.read_credential((await credential()).encode())
    assert not replace(read, challenge=replace(read.challenge, **change)).is_ours(KEY.encode())
    assert not read.is_ours(b"another secret")


async def test_an_authorization_for_another_challenge_is_told_apart() -> None:
    other = scheme.read_credential((await credential(replace(CHALLENGE, opaque=""))).encode())
    read = scheme.read_credential((await credential()).encode())
    with pytest.raises(Malformed, match="another challenge"):
        scheme.x402_payload(replace(read, payload=other.payload))


def test_the_reference_client_reads_a_receipt() -> None:
    read = mpp.Receipt.from_payment_receipt(scheme.receipt("0xabc", "2026-01-02T03:04:05Z").decode())
    assert (read.status, read.reference, read.method) == ("success", "0xabc", "evm")


def test_base64url_has_no_padding() -> None:
    assert "=" not in CHALLENGE.request + CHALLENGE.id(b"k")
    assert json.loads(base64.urlsafe_b64decode(CHALLENGE.request + "=="))["amount"] == "10000"


def test_objects_are_written_in_their_canonical_form() -> None:
    # RFC 8785 section 3.2.3: sorted as UTF-16, in which the emoji comes before U+FB33.
    assert scheme.read_packed(scheme.packed({"\ufb33": 1, "\U0001f600": 2, "a": [True]})) == {
        "a": [True], "\U0001f600": 2, "\ufb33": 1,
    }  # fmt: skip
    raw = base64.urlsafe_b64decode(scheme.packed({"\ufb33": 1, "\U0001f600": 2}) + "==").decode()
    assert raw.index("\U0001f600") < raw.index("\ufb33")


def test_what_would_break_the_header_is_refused() -> None:
    with pytest.raises(ValueError, match="header"):
        CHALLENGE.header_value(b"k", "two\r\nlines")
