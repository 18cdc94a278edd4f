"""A network with one token on it, in memory: what a facilitator asks of a node, and no more."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from x402.mechanisms.evm.types import TransactionReceipt

from gateway.protocols.keccak import keccak256

_TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()


class Chain:
    """The port `FacilitatorEvmSigner` of the reference SDK."""

    def __init__(self, token: str, chain_id: int) -> None:
        self.token, self.chain_id = token, chain_id
        self.balances: dict[str, int] = {}
        self.transfers: list[tuple[str, str, int]] = []
        """Payer, payee and amount of everything that moved."""
        self._used: set[tuple[str, str]] = set()
        self._receipts: dict[str, TransactionReceipt] = {}
        self._lock = threading.Lock()

    def give(self, address: str, amount: int) -> None:
        self.balances[address.lower()] = self.balances.get(address.lower(), 0) + amount

    def get_addresses(self) -> list[str]:
        return ["0x" + "fa" * 20]

    def get_chain_id(self) -> int:
        return self.chain_id

    def get_code(self, address: str) -> bytes:
        return b"\x60" if address.lower() == self.token.lower() else b""

    def get_balance(self, address: str, token_address: str) -> int:
        return self.balances.get(address.lower(), 0)

    def read_contract(self, address: str, abi: list[dict[str, Any]], function_name: str, *args: Any) -> Any:
        if function_name == "transferWithAuthorization":
            self._check(args)
            return None
        if function_name == "balanceOf":
            return self.get_balance(str(args[0]), address)
        if function_name == "authorizationState":
            return _mark(args[0], args[1]) in self._used
        raise NotImplementedError(function_name)

    def write_contract(
        self,
        address: str,
        abi: list[dict[str, Any]],
        function_name: str,
        *args: Any,
        data_suffix: str | None = None,
    ) -> str:
        assert function_name == "transferWithAuthorization"
        with self._lock:
            self._check(args)
            payer, payee, value, _, _, nonce = args[:6]
            self._used.add(_mark(payer, nonce))
            self.give(payer, -value)
            self.give(payee, value)
            self.transfers.append((payer.lower(), payee.lower(), value))
            name = "0x" + hashlib.sha256(f"{payer}{_mark(payer, nonce)}".encode()).hexdigest()
            log = {
                "address": self.token,
                "topics": [_TRANSFER, _word(payer), _word(payee)],
                "data": f"0x{value:064x}",
            }
            self._receipts[name] = TransactionReceipt(1, 1, name, [log])
            return name

    def wait_for_transaction_receipt(self, tx_hash: str) -> TransactionReceipt:
        return self._receipts[tx_hash]

    def verify_typed_data(self, *args: Any) -> bool:
        raise NotImplementedError("signatures are recovered from their digest")

    def send_transaction(self, to: str, data: bytes) -> str:
        raise NotImplementedError("no wallet is deployed here")

    def _check(self, args: tuple[Any, ...]) -> None:
        payer, _, value, _, _, nonce = args[:6]
        if _mark(payer, nonce) in self._used:
            raise ValueError("execution reverted: FiatTokenV2: authorization is used or canceled")
        if self.get_balance(payer, self.token) < value:
            raise ValueError("execution reverted: ERC20: transfer amount exceeds balance")


def _mark(payer: str, nonce: Any) -> tuple[str, str]:
    return payer.lower(), bytes(nonce).hex() if not isinstance(nonce, str) else nonce.removeprefix("0x").lower()


def _word(address: str) -> str:
    return "0x" + "0" * 24 + address[2:].lower()
