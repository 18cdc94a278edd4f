"""Ask Stripe, by Stripe's own library. Nothing of the library's is seen outside."""

from __future__ import annotations

import asyncio
import importlib
import re
from dataclasses import dataclass
from typing import Any

from gateway.ports.payment import ProviderUnavailable
from gateway_pay_stripe.settings import StripeSettings
from gateway_pay_stripe.told import Json

RETRIES = 2
"""By the library, after a refused connection, a cut answer, a conflict or a fault of Stripe's. What is created is
created under an idempotency key."""

KEYS = 3
"""So many idempotency keys are tried where Stripe repeats a fault of its own under one: it keeps faults for a day."""


class Refused(Exception):
    """Stripe does not do what it was asked for. `str()` says why, in Stripe's words."""

    def __init__(self, message: str, code: str = "", parameter: str = "") -> None:
        super().__init__(message)
        self.code, self.parameter = code, parameter


class KeyTaken(Exception):
    """The idempotency key is of no use any more."""

    def __init__(self, by_another: bool) -> None:
        """`by_another`: it was used for another request. Otherwise Stripe failed at the first, and repeats that."""
        super().__init__("it was begun before, and differently" if by_another else "Stripe repeats a fault of its own")
        self.by_another = by_another


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of Stripe's."""

    told: Json
    is_repeated: bool
    """Whether it is what was answered to an earlier request under this key: as things were then."""


class StripeApi:
    """One account of Stripe's."""

    def __init__(self, settings: StripeSettings) -> None:
        self._settings = settings
        self._stripe: Any = None
        self._http: Any = None
        self._client: Any = None
        self._key = ""
        self.seconds = settings.timeout / 1_000

    async def open(self) -> bool:
        """Load the library and read the key; whether it is a key of the live mode. No connection is made.

        Raises `RuntimeError` where the library is not installed, `ValueError` for a key that is none.
        """
        try:
            self._stripe = await asyncio.to_thread(importlib.import_module, "stripe")
        except ImportError:
            raise RuntimeError(
                "the payment plugin stripe needs its library: pip install 'paywall-gateway[stripe]'"
            ) from None
        self._key = self._settings.secret_key.reveal().decode("ascii", "replace")
        kind = re.fullmatch(r"[sr]k_(live|test)_[A-Za-z0-9_]+", self._key)
        if kind is None:
            raise ValueError(
                "secret_key is no secret key of Stripe's: one begins with sk_live_, rk_live_, sk_test_ or rk_test_"
            )
        self._stripe.enable_telemetry = False  # it would tell Stripe about the machine
        self._http = self._stripe.AIOHTTPClient(timeout=None)
        self._client = self._stripe.StripeClient(
            self._key,
            http_client=self._http,
            max_network_retries=RETRIES,
            base_addresses={"api": self._settings.api_base},
        )
        return kind[1] == "live"

    async def close(self) -> None:
        """Close connections. May be called twice, and without `open`."""
        http, self._http = self._http, None
        if http is not None:
            await http.close_async()

    async def get(self, kind: str, path: str, **parameters: Any) -> Json:
        """The object of this kind that is there. Raises `ProviderUnavailable`, and `Refused` where there is none."""
        return (await self._ask(kind, "get", path, parameters)).told

    async def post(self, kind: str, path: str, key: str = "", **parameters: Any) -> Said:
        """Change or create something, under an idempotency key. Raises `ProviderUnavailable`, `Refused`, `KeyTaken`."""
        return await self._ask(kind, "post", path, {**parameters, **({"idempotency_key": key} if key else {})})

    async def _ask(self, kind: str, method: str, path: str, parameters: dict[str, Any]) -> Said:
        if self._client is None:
            raise ProviderUnavailable("Stripe is not asked before the start")
        stripe = self._stripe
        try:
            async with asyncio.timeout(self.seconds):
                answer = await self._client.raw_request_async(method, path, **parameters)
        except stripe.IdempotencyError:
            raise KeyTaken(by_another=True) from None
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            raise Refused(self._without_key(error), str(error.code or ""), str(error.param or "")) from None
        except TimeoutError:
            raise ProviderUnavailable(f"Stripe did not answer within {self.seconds:g} s") from None
        except Exception as error:
            # Of the library, of aiohttp, or of neither: the library raises what comes where an answer is no JSON.
            if (getattr(error, "headers", None) or {}).get("Idempotent-Replayed") == "true":
                raise KeyTaken(by_another=False) from None
            raise ProviderUnavailable(_why(error)) from None
        if not isinstance(answer.data, dict) or answer.data.get("object") != kind:
            raise ProviderUnavailable("Stripe's answer is none of Stripe's: is something else in between?")
        return Said(answer.data, answer.headers.get("Idempotent-Replayed") == "true")

    def _without_key(self, error: Any) -> str:
        said = str(error.user_message or "it does not say why")[:300]
        return said.replace(self._key, "the key")


def _why(error: Exception) -> str:
    status, request = getattr(error, "http_status", None), getattr(error, "request_id", None)
    if status == 401:
        return "Stripe does not know the key: see `secret_key`"
    if status == 403:
        return "Stripe's key may not do this: see the rights of the restricted key"
    if status == 429:
        return "Stripe is asked too often"
    said = f"Stripe answered {status}" if status else "Stripe can't be reached"
    return f"{said} ({type(error).__name__}{f', request {request}' if request else ''})"
