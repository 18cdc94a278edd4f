"""Calls to YooKassa ("Interaction format", "HTTP response codes")."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.ports.payment import ProviderUnavailable
from gateway_pay_yookassa.settings import YooKassaSettings
from gateway_pay_yookassa.wire import Complaint, Told

_ANSWER_LIMIT = 2**20
_REFUSALS = (400, 403, 404, 405, 415)

T = TypeVar("T", bound=Told)


class Refused(Exception):
    """YooKassa understood the request and says no; `str()` says why, without anything personal."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Api:
    """One shop's access. Each call may take `timeout`, and is made once."""

    def __init__(self, settings: YooKassaSettings) -> None:
        self._settings = settings
        self._seconds = settings.timeout / 1000
        self._session: Any = None

    def start(self) -> None:
        """Read the key. Raises `ValueError` that says what is missing."""
        import aiohttp  # not before it is used: it takes its time to load

        pair = self._settings.shop_id.encode() + b":" + self._settings.secret_key.reveal()
        self._session = aiohttp.ClientSession(
            headers={"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Close connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, kind: type[T], path: str, query: Mapping[str, str] | None = None) -> T:
        """Raises `ProviderUnavailable`, `Refused`."""
        return await self._call(kind, "GET", path, params=query)

    async def post(self, kind: type[T], path: str, content: object, key: str) -> T:
        """Create something, once for one key within 24 hours. Raises `ProviderUnavailable`, `Refused`."""
        return await self._call(kind, "POST", path, json=content, headers={"Idempotence-Key": key})

    async def _call(self, kind: type[T], method: str, path: str, **more: Any) -> T:
        status, raw = await self._exchange(method, path, more)
        if status in _REFUSALS:
            raise Refused(status, _why(status, raw))
        if status == 401:
            raise ProviderUnavailable("YooKassa does not accept shop_id and secret_key")
        if status != 200:
            raise ProviderUnavailable(f"YooKassa answered {status}")
        try:
            return kind.model_validate_json(raw)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise ProviderUnavailable(f"YooKassa's answer can't be read, at {where or 'its beginning'}") from None

    async def _exchange(self, method: str, path: str, more: dict[str, Any]) -> tuple[int, bytes]:
        import aiohttp

        if self._session is None:
            raise ProviderUnavailable("the provider is not started")
        raw = b""
        try:
            address = self._settings.api_base + path
            limit = aiohttp.ClientTimeout(total=self._seconds)
            async with self._session.request(method, address, timeout=limit, allow_redirects=False, **more) as answer:
                async for piece in answer.content.iter_any():
                    raw += piece
                    if len(raw) > _ANSWER_LIMIT:
                        raise ProviderUnavailable("YooKassa's answer is larger than 1 MiB")
                return answer.status, raw
        except TimeoutError:
            raise ProviderUnavailable("YooKassa did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ProviderUnavailable(f"YooKassa can't be reached: {type(error).__name__}") from None


def _why(status: int, raw: bytes) -> str:
    try:
        said = Complaint.model_validate_json(raw)
    except ValidationError:
        return f"status {status}"
    return " ".join(part for part in (said.code, said.parameter, said.description[:200]) if part) or f"status {status}"
