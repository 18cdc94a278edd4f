"""Calls to Midtrans: Snap for pages to pay at, the Core API for transactions ("API Authorization & Headers")."""

from __future__ import annotations

import base64
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.ports.payment import ProviderUnavailable
from gateway_pay_midtrans.settings import MidtransSettings
from gateway_pay_midtrans.wire import Complaint, Opened, Told, Transaction

_ANSWER_LIMIT = 2**20
_PRODUCTION = ("https://app.midtrans.com", "https://api.midtrans.com")
_SANDBOX = ("https://app.sandbox.midtrans.com", "https://api.sandbox.midtrans.com")

T = TypeVar("T", bound=Told)


class Refused(Exception):
    """Midtrans understood the request and says no; `str()` says why."""


class Api:
    """One merchant's access. Each call may take `timeout`, and is made once."""

    def __init__(self, settings: MidtransSettings) -> None:
        self._seconds = settings.timeout / 1000
        base = settings.api_base
        self.snap, self._core = (base, base) if base else _SANDBOX if settings.test else _PRODUCTION
        self._session: Any = None

    def start(self, server_key: bytes) -> None:
        """Make ready for calls with this key."""
        import aiohttp  # not before it is used: it takes its time to load

        self._session = aiohttp.ClientSession(
            headers={
                "Authorization": "Basic " + base64.b64encode(server_key + b":").decode("ascii"),
                "Accept": "application/json",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Close connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def open_page(self, content: dict[str, Any]) -> str:
        """The address of a page to pay at. Raises `ProviderUnavailable`, `Refused`."""
        status, raw = await self._exchange("POST", f"{self.snap}/snap/v1/transactions", content)
        if status == 201:
            return _read(Opened, raw).redirect_url
        _raise_unless_refused(status)
        said = _read(Complaint, raw)
        raise Refused("; ".join(said.error_messages)[:300] or said.status_message or f"status {status}")

    async def transaction(self, order: str) -> Transaction | None:
        """The transaction of an order, or with an id of Midtrans' own. Raises `ProviderUnavailable`."""
        found = await self._ask("GET", f"/v2/{order}/status")
        if found.status_code == "404":
            return None
        if not found.transaction_status:
            raise ProviderUnavailable(f"Midtrans does not tell of a transaction: {found.status_code}")
        return found

    async def act(self, transaction: str, verb: str, content: dict[str, Any] | None = None) -> None:
        """Refund or cancel a transaction. Raises `ProviderUnavailable`, `Refused`."""
        done = await self._ask("POST", f"/v2/{transaction}/{verb}", content or {})
        if done.status_code != "200":
            raise Refused(done.status_message or f"status {done.status_code}")

    async def _ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> Transaction:
        """The Core API's answer. Its body says how it went, and the status of HTTP the same or 200."""
        status, raw = await self._exchange(method, self._core + path, content)
        if status >= 300:
            _raise_unless_refused(status)
        found = _read(Transaction, raw)
        if found.status_code == "401" or found.status_code == "429" or found.status_code.startswith("5"):
            raise ProviderUnavailable(f"Midtrans answered {found.status_code}")
        return found

    async def _exchange(self, method: str, address: str, content: dict[str, Any] | None) -> tuple[int, bytes]:
        import aiohttp

        if self._session is None:
            raise ProviderUnavailable("the provider is not started")
        raw = b""
        try:
            limit = aiohttp.ClientTimeout(total=self._seconds)
            more: dict[str, Any] = {"json": content, "timeout": limit, "allow_redirects": False}
            async with self._session.request(method, address, **more) as answer:
                async for piece in answer.content.iter_any():
                    raw += piece
                    if len(raw) > _ANSWER_LIMIT:
                        raise ProviderUnavailable("Midtrans' answer is larger than 1 MiB")
                return answer.status, raw
        except TimeoutError:
            raise ProviderUnavailable("Midtrans did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ProviderUnavailable(f"Midtrans can't be reached: {type(error).__name__}") from None


def _raise_unless_refused(status: int) -> None:
    """Raises `ProviderUnavailable` unless this status means that the request itself was not liked."""
    if status == 401:
        raise ProviderUnavailable("Midtrans does not accept the server key")
    if not 400 <= status < 500 or status == 429:
        raise ProviderUnavailable(f"Midtrans answered {status}")


def _read(kind: type[T], raw: bytes) -> T:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ProviderUnavailable(f"Midtrans' answer can't be read, at {where or 'its beginning'}") from None
