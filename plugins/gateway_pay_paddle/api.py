"""Calls to Paddle ("Authentication", "Error codes", "Pagination")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.ports.payment import ProviderUnavailable
from gateway_pay_paddle.settings import PaddleSettings
from gateway_pay_paddle.wire import Complaint, Told

_ANSWER_LIMIT = 4 * 2**20
_PRODUCTION, _SANDBOX = "https://api.paddle.com", "https://sandbox-api.paddle.com"

T = TypeVar("T", bound=Told)


class Refused(Exception):
    """Paddle understood the request and says no; `str()` says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Api:
    """One account's access. Each call may take `timeout`, and is made once."""

    def __init__(self, settings: PaddleSettings) -> None:
        self._base = settings.api_base or (_SANDBOX if settings.test else _PRODUCTION)
        self._seconds = settings.timeout / 1000
        self._session: Any = None

    def start(self, key: bytes) -> None:
        """Make ready for calls with this key. Raises `ValueError` for what can't be one."""
        import aiohttp  # not before it is used: it takes its time to load

        if not key.isascii() or not key.decode("ascii").isprintable():
            raise ValueError("api_key holds characters that no key has")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key.decode('ascii')}", "Paddle-Version": "1"},
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

    async def post(self, kind: type[T], path: str, content: object) -> T:
        """Create something. Paddle knows no idempotency keys. Raises `ProviderUnavailable`, `Refused`."""
        return await self._call(kind, "POST", path, json=content)

    async def patch(self, kind: type[T], path: str, content: object) -> T:
        """Change something. Raises `ProviderUnavailable`, `Refused`."""
        return await self._call(kind, "PATCH", path, json=content)

    async def _call(self, kind: type[T], method: str, path: str, **more: Any) -> T:
        status, raw = await self._exchange(method, path, more)
        if status in (401, 403):
            raise ProviderUnavailable("Paddle does not accept the api_key, or it lacks a permission")
        if 400 <= status < 500 and status != 429:
            raise Refused(status, _why(status, raw))
        if status not in (200, 201):
            raise ProviderUnavailable(f"Paddle answered {status}")
        try:
            return kind.model_validate_json(raw)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise ProviderUnavailable(f"Paddle's answer can't be read, at {where or 'its beginning'}") from None

    async def _exchange(self, method: str, path: str, more: dict[str, Any]) -> tuple[int, bytes]:
        import aiohttp

        if self._session is None:
            raise ProviderUnavailable("the provider is not started")
        raw = bytearray()
        try:
            more.update(timeout=aiohttp.ClientTimeout(total=self._seconds), allow_redirects=False)
            async with self._session.request(method, self._base + path, **more) as answer:
                async for piece in answer.content.iter_any():
                    raw += piece
                    if len(raw) > _ANSWER_LIMIT:
                        raise ProviderUnavailable("Paddle's answer is larger than 4 MiB")
                return answer.status, bytes(raw)
        except TimeoutError:
            raise ProviderUnavailable("Paddle did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ProviderUnavailable(f"Paddle can't be reached: {type(error).__name__}") from None


def _why(status: int, raw: bytes) -> str:
    try:
        said = Complaint.model_validate_json(raw).error
    except ValidationError:
        return f"status {status}"
    return ": ".join(part for part in (said.code, said.detail[:200]) if part) or f"status {status}"
