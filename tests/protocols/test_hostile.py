"""Whatever a stranger sends raises `Malformed` and nothing else, and takes no time."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.protocols import l402, payment_scheme, x402
from gateway.protocols.encoding import LONGEST, Malformed, canonical, read_object

from . import vectors

READERS: dict[str, Callable[[bytes], object]] = {
    "x402": x402.read_payment,
    "payment": lambda value: payment_scheme.read_credential(b"Payment " + value),
    "l402": lambda value: l402.read_credential(b"L402 " + value + b":" + b"0" * 64),
}
BAD = {
    "nothing": b"",
    "no base64": b"!!!",
    "high bytes": b"\xff\xfe\x00",
    "one character": b"A",
    "no json": base64.b64encode(b"{"),
    "a list": base64.b64encode(b"[]"),
    "a number": base64.b64encode(b"5"),
    "nan": base64.b64encode(b'{"a": NaN}'),
    "infinite": base64.b64encode(b'{"a": 1e999}'),
    "twice": base64.b64encode(b'{"x402Version": 2, "x402Version": 2}'),
    "half a character": base64.b64encode(b'{"a": "\\ud800"}'),
    "half a character for a name": base64.b64encode(b'{"\\ud800": {}}'),
    "deep": base64.b64encode(b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"),
    "a long number": base64.b64encode(b'{"a":' + b"9" * 6000 + b"}"),
    "long": b"A" * (LONGEST + 1),
    "not utf-8": base64.b64encode(b'{"a": "\xff"}'),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("what", BAD)
def test_what_can_not_be_read_is_malformed(reader: str, what: str) -> None:
    with pytest.raises(Malformed):
        READERS[reader](BAD[what])


_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("reader", ["x402", "payment"])
@given(name=some.sampled_from(["x402Version", "accepted", "payload", "challenge", "id", "resource"]), value=_values)
def test_any_member_may_be_anything(reader: str, name: str, value: object) -> None:
    members = json.loads(base64.b64decode(vectors.PAYMENT_SIGNATURE))
    members["challenge"] = {"id": "a", "realm": "b", "method": "evm", "intent": "charge", "request": "e30"}
    sent = base64.b64encode(json.dumps({**members, name: value}).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(Malformed):
        READERS[reader](sent)


@pytest.mark.parametrize("reader", READERS)
@given(sent=some.binary(max_size=200))
def test_any_bytes_may_come(reader: str, sent: bytes) -> None:
    for value in (sent, base64.b64encode(sent)):
        with contextlib.suppress(Malformed):
            READERS[reader](value)


@given(sent=some.binary(max_size=120))
def test_a_payment_that_is_read_has_its_marks(sent: bytes) -> None:
    with contextlib.suppress(Malformed):
        members = read_object(sent)
        canonical(members)  # whatever was read can be written


def test_a_payment_with_an_authorization_that_is_none_is_malformed() -> None:
    members = json.loads(base64.b64decode(vectors.PAYMENT_SIGNATURE))
    for name, value in (("from", "0x1"), ("nonce", "0x1"), ("value", "-1"), ("value", "1" * 79), ("validBefore", 5)):
        changed = json.loads(json.dumps(members))
        changed["payload"]["authorization"][name] = value
        with pytest.raises(Malformed):
            x402.read_payment(base64.b64encode(json.dumps(changed).encode()))
