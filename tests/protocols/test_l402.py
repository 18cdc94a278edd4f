"""L402: macaroons against libmacaroons' own example, challenges against what deployed clients look for."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import replace

import pytest

from gateway.protocols import l402
from gateway.protocols.encoding import Malformed
from gateway.protocols.macaroon import Macaroon

from . import vectors

PREIMAGE = bytes(range(32))
HASH = hashlib.sha256(PREIMAGE).digest()
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
INVOICE = "lnbc30u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypq"
TOKEN = l402.Token.make(KEY, HASH, b"t" * 32, "hold-1", 500, 2000)

APERTURE_CLIENT = re.compile(r'(LSAT|L402) macaroon="(.*?)", invoice="(.*?)"')
"""What deployed clients find a challenge by."""


def answered(token: l402.Token = TOKEN, preimage: bytes = PREIMAGE, scheme: str = "L402") -> bytes:
    return f"{scheme} {token.text}:{preimage.hex()}".encode()


def test_a_macaroon_is_sealed_as_libmacaroons_seals_it() -> None:
    plain = Macaroon.make(vectors.MACAROON_KEY, vectors.MACAROON_IDENTIFIER, (), b"http://mybank/")
    assert plain.signature.hex() == vectors.MACAROON_SIGNATURE
    caveats = (vectors.MACAROON_CAVEAT,)
    limited = Macaroon.make(vectors.MACAROON_KEY, vectors.MACAROON_IDENTIFIER, caveats, b"http://mybank/")
    assert limited.signature.hex() == vectors.MACAROON_SIGNATURE_WITH_CAVEAT
    assert Macaroon.read(limited.write()) == limited


def test_a_macaroon_cut_anywhere_is_malformed() -> None:
    written = TOKEN.macaroon.write()
    for length in range(len(written)):
        with pytest.raises(Malformed):
            Macaroon.read(written[:length])
    with pytest.raises(Malformed):
        Macaroon.read(written + b"\x00")


def test_a_condition_taken_away_or_altered_breaks_the_seal() -> None:
    kept = TOKEN.macaroon
    assert TOKEN.is_ours(KEY) and not TOKEN.is_ours(OTHER_KEY)
    for caveats in (kept.caveats[:1], kept.caveats[::-1], (b"result=hold-2", *kept.caveats[1:])):
        assert not l402.Token(replace(kept, caveats=caveats)).is_ours(KEY)


def test_a_challenge_is_found_by_deployed_clients_and_by_the_specification() -> None:
    legacy, standard = (line.decode() for line in l402.challenge(TOKEN, INVOICE))
    found = APERTURE_CLIENT.search(f"{legacy}, {standard}")
    assert found is not None and found[2] == TOKEN.text and found[3] == INVOICE
    assert standard.startswith('L402 version="0", token="') and f'invoice="{INVOICE}"' in standard


@pytest.mark.parametrize("scheme", ["L402", "LSAT", "l402"])
def test_a_credential_is_read(scheme: str) -> None:
    read = l402.read_credential(answered(scheme=scheme))
    assert read.is_paid and read.token.is_ours(KEY)
    assert read.token.results() == {"hold-1"} and read.token.amount == 500
    assert not read.token.has_ended(1999) and read.token.has_ended(2000)


def test_a_wrong_preimage_pays_for_nothing() -> None:
    assert not l402.read_credential(answered(preimage=bytes(32))).is_paid


def test_a_condition_can_be_added_and_only_narrows() -> None:
    macaroon = TOKEN.macaroon
    conditions = {b"result=hold-2": "two results", b"valid_until=1": "an end", b"services=x": "what nobody knows"}
    for condition, what in conditions.items():
        sealed = hmac.digest(macaroon.signature, condition, hashlib.sha256)
        token = l402.Token(replace(macaroon, caveats=(*macaroon.caveats, condition), signature=sealed))
        assert token.is_ours(KEY), what
        assert token.results() != {"hold-1"} or token.has_ended(1000), what


@pytest.mark.parametrize(
    "value",
    [b"Bearer x", b"L402", b"L402 :", b"L402 abc:" + b"0" * 63, b"L402 abc:" + b"g" * 64, b"L402 AgEA:" + b"0" * 64],
)
def test_other_values_are_malformed(value: bytes) -> None:
    with pytest.raises(Malformed):
        l402.read_credential(value)


def test_an_invoice_that_would_break_the_header_is_refused() -> None:
    for invoice in ('lnbc1"', "lnbc1\r\nx: y", "", "bc1qxyz"):
        with pytest.raises(ValueError, match="invoice"):
            l402.challenge(TOKEN, invoice)
