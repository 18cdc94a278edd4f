"""One person's way from the offer to the result, and what a provider reports meanwhile: over HTTP, as both do it."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.flow.service import Reply

PATIENCE = 30.0
"""Seconds within which somebody who goes on asking must have got an answer, and what is to come back is back."""
_PAUSE = 0.02
PLANS = {"five": 5, "month": 0}
"""Plans that are bought, and how many results each gives."""


class Stuck(Exception):
    """Somebody asked for as long as anybody would, and was not given what is theirs."""


@dataclass
class Journey:
    """What has happened to one person so far."""

    person: str
    host: str
    port: int
    plan: str
    revive: Callable[[], None]
    """Starts again what was killed."""
    patience: float = PATIENCE
    checkout: str = ""
    page: str = ""
    release: str = ""
    killed_in: str = ""
    """The step within which something was killed."""
    told_paid: bool = False
    """The provider was told that the payment is credited."""
    delivered: dict[str, int] = field(default_factory=lambda: {"credits": 0, "grace": 0})
    """Results that have come whole, by what they were taken of."""
    broken: list[str] = field(default_factory=list)
    """Promises that were not kept under way."""
    last: str = ""
    """What the newest request came to."""

    # The steps, in their order. Each is done once for each call, whatever comes of it.

    def grace(self) -> bool:
        """Get a result that is given for nothing."""
        return self._take("/metered/1", "grace")

    def hold(self) -> bool:
        """Meet the offer beside a result that is kept back."""
        reply = self._ask("GET", f"/report.csv?of={self.person}")
        if reply is None or reply.reason != "result-held":
            return False
        told = reply.json()
        self.release = told["hold"]["release"]
        self.page = next(each["address"] for each in told["checkout"] if each["plan"] == self.plan)
        return True

    def open(self) -> bool:
        """Open a checkout of the plan."""
        reply = self._ask("POST", self.page)
        if reply is None or reply.status != 303:
            return False
        told = reply.json()
        self.checkout, self.page = told["checkout"], told["address"]
        return True

    def settle(self) -> bool:
        """Report the payment, as the provider does until it is answered."""
        reply = self._ask("POST", self.page, b"choice=pay")
        self.told_paid = reply is not None and reply.status == 303
        return self.told_paid

    def see(self) -> bool:
        """Come back from the provider, to whom it was said that the payment has arrived."""
        reply = self._ask("GET", f"/_paywall/paid?checkout={self.checkout}")
        if reply is None or reply.status not in (200, 404):
            return False
        status = reply.json().get("status", "no such payment") if reply.status == 200 else "no such payment"
        if status != "paid":
            self.broken.append(f"told that it is paid, and then {status!r}")
        return True

    def fetch(self) -> bool:
        """Get the result that was kept back."""
        reply = self._ask("GET", self.release)
        return reply is not None and reply.status == 200 and len(reply.body) > 1000

    def take(self) -> bool:
        """Get another result, which takes one of those that were paid for."""
        return self._take("/report.csv?another", "credits")

    def _take(self, path: str, purse: str) -> bool:
        reply = self._ask("GET", path)
        came = reply is not None and reply.status == 200
        self.delivered[purse] += came
        return came

    def insist(self, step: Callable[[], bool], what: str) -> None:
        """Do a step until it is done. Raises `Stuck`."""
        deadline = time.monotonic() + self.patience
        while True:
            self.revive()
            if step():
                return
            if time.monotonic() > deadline:
                raise Stuck(f"{what}: not within {self.patience:g} s; {self.last}")
            time.sleep(_PAUSE)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Reply | None:
        """One request; None where no whole answer came."""
        headers: Mapping[str, str] = {"x-user-id": self.person}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException) as error:
            self.last = f"{method} {path}: {error!r}"
            return None
        finally:
            connection.close()
        self.last = f"{method} {path}: {reply.status} {reply.reason} {reply.body[:200]!r}"
        return reply


STEPS: tuple[str, ...] = ("grace", "hold", "open", "settle", "see", "fetch", "take")
"""Names of the steps, in their order."""


def step_of(journey: Journey, name: str) -> Callable[[], bool]:
    """A step by its name."""
    found: Any = getattr(journey, name)
    step: Callable[[], bool] = found
    return step
