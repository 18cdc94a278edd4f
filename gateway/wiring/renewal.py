"""A new config takes the place of the old one, or is refused and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from gateway.settings.live import LiveSettings, ReloadOutcome, ReloadResult
from gateway.settings.load import Loaded
from gateway.settings.problem import Problem, Severity


async def renew(live: LiveSettings, put_in_force: Callable[[Loaded], Awaitable[None]]) -> ReloadOutcome:
    """Read the config again and put it in force if it holds. Never raises."""
    before = live.current
    outcome = await asyncio.to_thread(live.reload)
    if outcome.result is not ReloadResult.ACCEPTED:
        return outcome
    try:
        await put_in_force(live.current)
    except Exception as error:  # whatever a plugin raises, the old config goes on
        live.restore(before)
        problem = Problem(str(live.path), f"the new config can't be put in force: {error}")
        return ReloadOutcome(ReloadResult.REFUSED, (problem,))
    return replace(outcome, problems=(*outcome.problems, *_needs_restart(before, live.current)))


def _needs_restart(before: Loaded, after: Loaded) -> Iterator[Problem]:
    """Settings that a running gateway can't change."""
    for key in ("listen", "admin", "workers", "store", "data", "secret", "log"):
        if getattr(before.settings, key) != getattr(after.settings, key):
            message = "changed, which takes effect at the next start"
            yield Problem(after.document.where, message, key=key, severity=Severity.WARNING)
