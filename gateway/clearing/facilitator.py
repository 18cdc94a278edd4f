"""The facilitator of x402 over HTTP (x402 specification v2, section 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
)

from gateway.ports.clearing import ClearingUnavailable, NotAsked

ANSWER_BYTES_LIMIT = 64 * 1024
CONNECT_SECONDS = 5.0


class HttpFacilitator:
    """The port `Facilitator`. Made without any effect; belongs to the event loop that starts it."""

    def __init__(self, address: str, bearer: str, verify_seconds: float, settle_seconds: float) -> None:
        """`bearer` is sent along where it is not empty."""
        self._address, self._bearer = address, bearer
        self._verify_seconds, self._settle_seconds = verify_seconds, settle_seconds
        self._session: ClientSession | None = None

    async def start(self) -> None:
        """Make ready; nobody is connected to before the first payment."""
        headers = {"authorization": f"Bearer {self._bearer}"} if self._bearer else {}
        # A connection of its own for each question: one that was kept may be closed by then, and whether a question
        # was heard before that could not be told.
        connector = TCPConnector(force_close=True)
        self._session = ClientSession(connector=connector, headers={"accept": "application/json", **headers})

    async def stop(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def verify(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See the port."""
        return await self._ask("verify", request, self._verify_seconds)

    async def settle(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See the port."""
        return await self._ask("settle", request, self._settle_seconds)

    async def supported(self) -> dict[str, Any]:
        """See the port."""
        return await self._ask("supported", None, self._verify_seconds)

    async def _ask(self, what: str, request: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        """The object that is answered, whatever its status: a refusal may come with 200, and with 400."""
        assert self._session is not None
        address = f"{self._address}/{what}"
        timeout = ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
        try:
            # No redirect: a payment is shown to nobody whom the config does not name.
            asking = self._session.request(
                "GET" if request is None else "POST", address, json=request, timeout=timeout, allow_redirects=False
            )
            async with asking as answer:
                status, body = answer.status, await answer.content.read(ANSWER_BYTES_LIMIT + 1)
                while len(body) <= ANSWER_BYTES_LIMIT and (piece := await answer.content.read(ANSWER_BYTES_LIMIT)):
                    body += piece
        except ClientConnectorError as error:
            raise NotAsked(f"{address} can't be reached: {error.strerror or type(error.os_error).__name__}") from error
        except ConnectionTimeoutError as error:
            raise NotAsked(f"{address} can't be reached within {timeout.sock_connect:g} s") from error
        except TimeoutError as error:
            raise ClearingUnavailable(f"{address} did not answer within {seconds:g} s") from error
        except ClientError as error:
            raise ClearingUnavailable(f"{address} broke off: {type(error).__name__}") from error
        return _object(body, f"{address} answered {status}")


def _object(body: bytes, who: str) -> dict[str, Any]:
    if len(body) > ANSWER_BYTES_LIMIT:
        raise ClearingUnavailable(f"{who} with more than {ANSWER_BYTES_LIMIT} bytes")
    try:
        value = json.loads(body)
    except (RecursionError, ValueError):
        raise ClearingUnavailable(f"{who}, and not with JSON") from None
    if not isinstance(value, dict):
        raise ClearingUnavailable(f"{who}, and not with a JSON object")
    return value
