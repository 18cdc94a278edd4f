"""x402 version 2 against the specification's own examples and the reference SDK."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from x402.http import utils as reference
from x402.schemas import PaymentPayload, PaymentRequired

from gateway.protocols import x402
from gateway.protocols.encoding import Malformed

from . import vectors

WANTED = x402.Requirements(**vectors.REQUIREMENTS)
RESOURCE = {
    "url": "https://api.example.com/premium-data",
    "description": "Access to premium market data",
    "mimeType": "application/json",
}
NOW = vectors.SIGNED_UNTIL - 60


def signed(**changes: Any) -> bytes:
    """The specification's payment, with other members."""
    members = json.loads(base64.b64decode(vectors.PAYMENT_SIGNATURE))
    return base64.b64encode(json.dumps({**members, **changes}).encode())


def payment() -> x402.Payment:
    return x402.read_payment(vectors.PAYMENT_SIGNATURE.encode())


def test_an_offer_is_written_as_the_specification_prints_it() -> None:
    assert x402.payment_required([WANTED], RESOURCE) == vectors.PAYMENT_REQUIRED.encode()


def test_the_reference_client_reads_an_offer() -> None:
    header = x402.payment_required([WANTED], {"url": "https://a.example/x", "description": ""}, "not this one")
    read = reference.decode_payment_required_header(header.decode())
    assert isinstance(read, PaymentRequired)
    [accepted] = read.accepts
    assert (read.error, accepted.amount, accepted.pay_to) == ("not this one", "10000", WANTED.pay_to)
    assert b"null" not in base64.b64decode(header)


def test_a_payment_is_read_as_the_specification_prints_it() -> None:
    read = payment()
    assert read.authorization is not None and read.authorization.is_eip3009
    assert (read.authorization.value, read.authorization.valid_before) == (10000, vectors.SIGNED_UNTIL)
    assert x402.mismatch(read, WANTED, NOW) == ""


def test_a_payment_of_the_reference_client_is_read() -> None:
    model = reference.decode_payment_signature_header(vectors.PAYMENT_SIGNATURE)
    assert isinstance(model, PaymentPayload)
    read = x402.read_payment(reference.encode_payment_signature_header(model).encode())
    assert x402.mismatch(read, WANTED, NOW) == ""


@pytest.mark.parametrize(
    "spelled",
    [
        vectors.PAYMENT_SIGNATURE.rstrip("="),
        vectors.PAYMENT_SIGNATURE.replace("+", "-").replace("/", "_"),
        f" {vectors.PAYMENT_SIGNATURE} ",
    ],
)
def test_padding_and_alphabet_do_not_matter(spelled: str) -> None:
    assert x402.read_payment(spelled.encode()).key == payment().key


@pytest.mark.parametrize(("success", "header"), [(True, vectors.SETTLED), (False, vectors.FAILED)])
def test_a_settlement_is_written_as_the_specification_prints_it(success: bool, header: str) -> None:
    members = json.loads(base64.b64decode(header))
    read = x402.read_settlement(members, "")
    assert read.success is success
    written = json.loads(base64.b64decode(read.header()))
    assert written == members
    assert reference.decode_payment_response_header(read.header().decode()).success is success


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"scheme": "upto"}, "unsupported_scheme"),
        ({"network": "eip155:1"}, "invalid_network"),
        ({"asset": "0x" + "1" * 40}, "invalid_payment_requirements"),
        ({"pay_to": "0x" + "1" * 40}, "invalid_payment_requirements"),
        ({"amount": 10001}, "invalid_payment_requirements"),
        ({"amount": 9999}, "invalid_payment_requirements"),
    ],
)
def test_a_payment_of_something_else_is_told_apart(changed: dict[str, Any], why: str) -> None:
    assert x402.mismatch(payment(), replace(WANTED, **changed), NOW) == why


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("to", "0x" + "1" * 40, "invalid_exact_evm_payload_recipient_mismatch"),
        ("value", "1", "invalid_exact_evm_payload_authorization_value"),
        ("validBefore", str(NOW), "invalid_exact_evm_payload_authorization_valid_before"),
    ],
)
def test_what_was_signed_is_looked_at_and_not_only_what_is_said(name: str, value: str, why: str) -> None:
    payload = json.loads(json.dumps(payment().payload))
    payload["authorization"][name] = value
    assert x402.mismatch(x402.read_payment(signed(payload=payload)), WANTED, NOW) == why


def test_one_authorization_has_one_key_however_it_is_spelled() -> None:
    payload = json.loads(json.dumps(payment().payload))
    payload["authorization"]["from"] = payload["authorization"]["from"].lower()
    payload["authorization"]["nonce"] = payload["authorization"]["nonce"].upper().replace("0X", "0x")
    payload["signature"] = payload["signature"] + "00"
    again = x402.read_payment(signed(payload=payload, resource={"url": "https://elsewhere.example/"}))
    assert again.key == payment().key
    assert again.digest != payment().digest


def test_another_nonce_is_another_payment() -> None:
    payload = json.loads(json.dumps(payment().payload))
    payload["authorization"]["nonce"] = "0x" + "0" * 64
    assert x402.read_payment(signed(payload=payload)).key != payment().key


def test_the_facilitator_is_told_our_requirements_and_not_the_clients() -> None:
    accepted = {**payment().accepted, "extra": None, "maxTimeoutSeconds": 10**9}
    asked = x402.request_to_facilitator(x402.read_payment(signed(accepted=accepted)), WANTED)
    assert asked["paymentRequirements"] == WANTED.members()
    assert "extra" not in asked["paymentPayload"]["accepted"]  # no null goes on


def test_a_ticket_is_between_the_client_and_us() -> None:
    offered = replace(WANTED, ticket="t1")
    [accepted] = json.loads(base64.b64decode(x402.payment_required([offered], RESOURCE)))["accepts"]
    assert accepted["extra"] == {"name": "USDC", "version": "2", "ticket": "t1"}
    brought = x402.read_payment(signed(accepted=accepted))
    assert brought.ticket == "t1" and x402.mismatch(brought, offered, NOW) == ""
    assert "t1" not in json.dumps(x402.request_to_facilitator(brought, offered))
    assert brought.ticket == "t1", "what came is not changed"


@pytest.mark.parametrize("extra", [None, [], {"ticket": 5}, {"ticket": "t" * 201}])
def test_a_ticket_that_is_none_is_none(extra: object) -> None:
    assert x402.read_payment(signed(accepted={**payment().accepted, "extra": extra})).ticket == ""


def test_a_failure_that_may_have_moved_money_is_none() -> None:
    def is_final(**members: Any) -> bool:
        return x402.read_settlement({"success": False, "transaction": "", **members}, "eip155:8453").is_final

    assert is_final(errorReason="insufficient_funds")
    assert is_final(errorReason="invalid_exact_evm_payload_signature")
    assert not is_final(errorReason="settlement_pending", transaction="0x1")
    assert not is_final(errorReason="insufficient_funds", transaction="0x1")
    assert not is_final(errorReason="invalid_exact_evm_nonce_already_used")
    assert not is_final(errorReason="invalid_transaction_state")
    assert not is_final(errorReason="unexpected_settle_error")
    assert not is_final()


@pytest.mark.parametrize(
    "members",
    [{}, {"success": "true"}, {"success": 1}, {"success": True}, {"success": True, "transaction": ""},
     {"success": True, "transaction": 5}, {"success": True, "transaction": "0x1", "payer": {}}],
)  # fmt: skip
def test_rubbish_of_a_facilitator_is_no_settlement(members: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        x402.read_settlement(members, "eip155:8453")


def test_kinds_of_version_2_are_read() -> None:
    kinds = [
        {"x402Version": 1, "scheme": "exact", "network": "base"},
        {"x402Version": 2, "scheme": "exact", "network": "eip155:8453", "extra": {"a": 1}},
        {"x402Version": 2, "scheme": "upto", "network": "eip155:8453"},
    ]
    read = x402.read_kinds({"kinds": kinds, "extensions": []})
    assert read == [("exact", "eip155:8453", {"a": 1}), ("upto", "eip155:8453", {})]
    with pytest.raises(Malformed):
        x402.read_kinds({})
