"""Ask providers what became of checkouts: an unknown outcome is never a new request to pay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.quantity import DAY, HOUR, MINUTE
from gateway.core.subject import Subject
from gateway.payments.desk import ProviderDesk
from gateway.payments.till import Till
from gateway.ports.cashbook import CheckoutRecord, CheckoutStatus
from gateway.ports.payment import PaymentProvider, Pending, Progress, ProviderUnavailable
from gateway.ports.state import StoreUnavailable

LOOK_SECONDS = 10.0
"""A provider that has not said anything by then is not waited for."""

_FRESH_MS = 4_000
_REMEMBERED = 10_000
_UNPAID = (CheckoutStatus.OPEN, CheckoutStatus.UNKNOWN, CheckoutStatus.FAILED)
_PAUSES = ((HOUR, 5 * MINUTE), (DAY, HOUR), (7 * DAY, 6 * HOUR), (180 * DAY, DAY))
"""How often a provider is asked, by the age of the checkout: people pay within minutes, banks within days."""


class Finding(StrEnum):
    """What is known of a checkout after asking."""

    PAID = "paid"
    """A payment has arrived, whatever came of it."""
    FAILED = "failed"
    OPEN = "open"
    """Nothing was paid and nothing is on its way."""
    UNKNOWN = "unknown"
    """The provider says that something is on its way, or nobody can say."""
    GONE = "gone"
    """There is no such checkout any more."""
    NO_PROVIDER = "no-provider"
    """The config has no provider of its name any more."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, and of what."""

    finding: Finding
    checkout: str = ""
    provider: str = ""
    why: str = ""
    """Where the provider did not answer: what was said of it."""


class Reconciler:
    """Asks about one checkout, or about all that are due."""

    def __init__(self, till: Till, providers: Mapping[str, PaymentProvider]) -> None:
        self._till, self._providers = till, providers
        self._asked: dict[str, int] = {}

    async def look(self, reference: str, returned: bool = False) -> Looked:
        """Ask the provider of this checkout, and let it be as it says. Raises `StoreUnavailable`.

        `returned` says that somebody came back from the provider as one who has paid: then it is unknown, and not open,
        as long as the provider does not answer.
        """
        found = self._till.references.read(reference)
        subject = await self._till.payments.subject(found[0]) if found else None
        record = await self._till.payments.checkout(subject, found[1]) if found and subject else None
        if subject is None or record is None:
            await self._till.pending.forget(reference)
            return Looked(Finding.GONE)
        if record.status not in _UNPAID:
            await self._till.pending.forget(reference)
            return Looked(Finding.PAID, record.id, record.provider)
        return await self._ask(reference, subject, record, returned)

    async def look_at(
        self, subject: Subject, record: CheckoutRecord, returned: bool, disclaimed: bool = False
    ) -> Looked:
        """The same for a checkout that has been read already. `disclaimed`: the person says that it was not paid.

        Asked for again within a moment, by somebody who reloads a page, it says what is known."""
        if record.status not in _UNPAID:
            return Looked(Finding.PAID, record.id, record.provider)
        reference = self._till.references.make(subject.key, record.id)
        # What was asked for somebody who came back says nothing of who takes that back, so that is asked on its own.
        if self._was_asked(f"{reference} disclaimed" if disclaimed else reference):
            known = {CheckoutStatus.UNKNOWN: Finding.UNKNOWN, CheckoutStatus.FAILED: Finding.FAILED}
            return Looked(known.get(record.status, Finding.OPEN), record.id, record.provider)
        return await self._ask(reference, subject, record, returned, disclaimed)

    def _was_asked(self, name: str) -> bool:
        now = self._till.now()
        if len(self._asked) > _REMEMBERED:
            self._asked.clear()
        is_fresh = now - self._asked.get(name, 0) < _FRESH_MS
        if not is_fresh:
            self._asked[name] = now
        return is_fresh

    async def run_due(self, limit: int) -> list[Looked]:
        """Ask about so many of those that are due. Raises `StoreUnavailable`."""
        references = await self._till.pending.take_due(10 * MINUTE, limit)
        return [await self.look(reference) for reference in references]

    async def _ask(
        self, reference: str, subject: Subject, record: CheckoutRecord, returned: bool, disclaimed: bool = False
    ) -> Looked:
        provider = self._providers.get(record.provider)
        if provider is None:
            await self._till.pending.watch(reference, self._till.now() + DAY)
            return Looked(Finding.NO_PROVIDER, record.id, record.provider)
        returned = returned or (record.status is CheckoutStatus.UNKNOWN and not disclaimed)
        pending = Pending(reference, record.session, record.price, record.created, returned)
        progress, why = await self._progress(provider, pending, record.provider)
        if progress is Progress.CLOSED:
            await self._till.pending.forget(reference)
            return Looked(await self._closed(subject, record), record.id, record.provider)
        is_unknown = progress is Progress.PROCESSING or (progress is None and returned)
        status = record.status
        if is_unknown or (progress is Progress.OPEN and status is CheckoutStatus.UNKNOWN):
            asked = CheckoutStatus.UNKNOWN if is_unknown else CheckoutStatus.OPEN
            status = await self._till.payments.close_checkout(subject, record.id, asked) or status
        if status not in _UNPAID:  # its payment has come meanwhile
            return Looked(Finding.PAID, record.id, record.provider)
        await self._till.pending.watch(reference, self._till.now() + self._pause(record))
        finding = Finding.UNKNOWN if status is CheckoutStatus.UNKNOWN or progress is None else Finding.OPEN
        return Looked(finding, record.id, record.provider, why)

    async def _progress(self, provider: PaymentProvider, pending: Pending, name: str) -> tuple[Progress | None, str]:
        """None where nothing is known, and why."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await provider.look(pending, ProviderDesk(self._till, name)), ""
        except ProviderUnavailable as error:
            return None, str(error)
        except TimeoutError:
            return None, f"it did not answer within {LOOK_SECONDS:.0f} seconds"
        except StoreUnavailable:
            raise
        except Exception as error:  # whatever a plugin raises, nothing is known, and the next one is asked about
            return None, f"{type(error).__name__}: {error}"

    async def _closed(self, subject: Subject, record: CheckoutRecord) -> Finding:
        now = await self._till.payments.checkout(subject, record.id)
        return Finding.FAILED if now is None or now.status in _UNPAID else Finding.PAID

    def _pause(self, record: CheckoutRecord) -> int:
        age = self._till.now() - record.created
        return next((pause for until, pause in _PAUSES if age < until), DAY)
