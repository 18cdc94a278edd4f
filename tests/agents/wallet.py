"""What a program pays with: the reference SDK's client, over an account whose key is made up."""

from __future__ import annotations

import base64
import json
from typing import Any

from eth_account import Account
from x402 import x402ClientSync
from x402.http.utils import decode_payment_required_header, encode_payment_signature_header
from x402.mechanisms.evm.exact import ExactEvmClientScheme
from x402.schemas import PaymentRequired

from tests.flow.service import Reply


class Wallet:
    """One account."""

    def __init__(self) -> None:
        self.account: Any = Account.create()
        self._client = x402ClientSync()
        self._client.set_spend_controls(False)  # by itself it pays no more than a dollar
        self._client.register("eip155:*", ExactEvmClientScheme(self.account))

    @property
    def address(self) -> str:
        return str(self.account.address)

    def sign(self, reply: Reply) -> dict[str, str]:
        """The headers that pay for what a 402 asks for."""
        asked = decode_payment_required_header(reply.header("payment-required"))
        assert isinstance(asked, PaymentRequired)
        return {"payment-signature": encode_payment_signature_header(self._client.create_payment_payload(asked))}


def offered(reply: Reply) -> Any:
    """What a 402 says about paying by x402."""
    return json.loads(base64.b64decode(reply.header("payment-required")))


def settled(reply: Reply) -> Any:
    """What an answer says about the settlement."""
    return json.loads(base64.b64decode(reply.header("payment-response")))


def altered(headers: dict[str, str], **members: Any) -> dict[str, str]:
    """A payment with other members, signature and all."""
    read = json.loads(base64.b64decode(headers["payment-signature"]))
    return {"payment-signature": base64.b64encode(json.dumps({**read, **members}).encode()).decode()}


def opened(headers: dict[str, str]) -> Any:
    """A payment as it is written in its header."""
    return json.loads(base64.b64decode(headers["payment-signature"]))
