"""What programs pay with: whatever comes is read or malformed, and what was read can be written, and has its marks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from gateway.protocols import l402, payment_scheme, x402
from gateway.protocols.encoding import Malformed, canonical
from gateway.protocols.macaroon import Macaroon
from tests.protocols import vectors

_TOKEN = l402.Token.make(b"k" * 32, b"h" * 32, b"t" * 32, "hold", 5, 2_000_000_000)
_CHALLENGE = (
    b'{"challenge":{"id":"a","realm":"b","method":"evm","intent":"charge","request":"e30","opaque":"e30"},"payload":'
    b'{"type":"authorization","from":"0x1","to":"0x2","value":"1","validAfter":"0","validBefore":"1","nonce":"0x3",'
    b'"signature":"0x4"}}'
)
PAYMENTS = (base64.b64decode(vectors.PAYMENT_SIGNATURE), _CHALLENGE, _TOKEN.macaroon.write())
PAYMENT_WORDS = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"1e999", b"NaN", b"\\ud800", b"\xff", b"0", b"-1",
    b'"x402Version":2', b'"accepted":{}', b'"payload":{}', b'"authorization"', b'"permit2Authorization"', b"eip155:1",
    b"solana:1", b'"challenge":', b'"opaque":', b"\x02", b"\x00", b"\x06\x20", b"\x02\xff\xff\xff\x7f",
)  # fmt: skip


def _x402(data: bytes) -> None:
    payment = x402.read_payment(base64.b64encode(data))
    canonical(payment.members)
    assert len(payment.key) == len(payment.digest) == 32 and len(payment.ticket) <= x402.TICKET_LONGEST
    wanted = x402.Requirements(**vectors.REQUIREMENTS)
    x402.mismatch(payment, wanted, 0)
    assert x402.payment_of(x402.request_to_facilitator(payment, wanted)["paymentPayload"]).key == payment.key


def _payment(data: bytes) -> None:
    credential = payment_scheme.read_credential(b"Payment " + base64.urlsafe_b64encode(data))
    assert not credential.is_ours(b"k" * 32), "nobody can guess the key"
    credential.opaque()
    payment_scheme.x402_payload(credential)


def _l402(data: bytes) -> None:
    credential = l402.read_credential(b"L402 " + base64.b64encode(data) + b":" + b"0" * 64)
    assert Macaroon.read(credential.token.macaroon.write()) == credential.token.macaroon
    if credential.token.is_ours(b"k" * 32):
        assert "hold" in credential.token.results()


def payment_is_read_or_malformed(data: bytes, luck: Random) -> None:
    """By each of the protocols."""
    readers: tuple[Callable[[bytes], None], ...] = (_x402, _payment, _l402)
    for read in readers:
        try:
            read(data)
        except Malformed as error:
            assert str(error).isprintable()
