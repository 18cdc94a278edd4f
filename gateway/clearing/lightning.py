"""Invoices of an LND node over its REST interface (`POST /v1/invoices`)."""

from __future__ import annotations

import base64
import binascii
import json
import ssl
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from gateway.ports.clearing import ClearingUnavailable, Invoice

ANSWER_BYTES_LIMIT = 64 * 1024
SECONDS = 10.0


class LndInvoices:
    """The port `Invoices`. Made without any effect; belongs to the event loop that starts it."""

    def __init__(self, address: str, macaroon: str, certificate: Path | None) -> None:
        """`macaroon` is that of the node, in hexadecimal; `certificate` its own, where no authority signed it."""
        self._address, self._macaroon, self._certificate = address, macaroon, certificate
        self._session: ClientSession | None = None
        self._trust: ssl.SSLContext | bool = True

    async def start(self) -> None:
        """Make ready; the node is connected to with the first invoice. Raises `OSError` for a bad certificate."""
        if self._certificate is not None:
            self._trust = ssl.create_default_context(cafile=str(self._certificate))
        self._session = ClientSession(headers={"Grpc-Metadata-macaroon": self._macaroon})

    async def stop(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def create(self, amount: int, memo: str, seconds: int) -> Invoice:
        """See the port."""
        assert self._session is not None
        address, asked = f"{self._address}/v1/invoices", {"value": str(amount), "memo": memo, "expiry": str(seconds)}
        try:
            async with self._session.post(
                address, json=asked, timeout=ClientTimeout(total=SECONDS), ssl=self._trust, allow_redirects=False
            ) as answer:
                status, body = answer.status, await answer.content.read(ANSWER_BYTES_LIMIT)
        except (ClientError, TimeoutError) as error:
            raise ClearingUnavailable(f"{address} gave no invoice: {type(error).__name__}") from error
        try:
            told = json.loads(body)
            return _invoice(base64.b64decode(told["r_hash"], validate=True), told["payment_request"])
        except (KeyError, TypeError, ValueError, RecursionError, binascii.Error):
            raise ClearingUnavailable(f"{address} answered {status}, and not with an invoice") from None


def _invoice(payment_hash: bytes, request: object) -> Invoice:
    if len(payment_hash) != 32 or not isinstance(request, str):
        raise ValueError("that is no invoice")
    return Invoice(payment_hash, request)
