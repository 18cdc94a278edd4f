"""Put an answered request on record: one line in the access log, and events where it counts.

Nothing here waits for anything, or is waited for.
"""

from __future__ import annotations

from gateway.core.event import RequestDecided, ResultDelivered, ResultHeld
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass
from gateway.eventlog.entry import AccessEntry
from gateway.ports.state import HoldRecord
from gateway.web.exchange import Exchange
from gateway.web.runtime import Runtime


def record(runtime: Runtime, exchange: Exchange, method: str, path: bytes) -> None:
    """The line of one request, and its event."""
    entry = exchange.entry(runtime.now(), method, path.decode("latin-1"))
    runtime.access_log.write(entry)
    record_decided(runtime, entry, exchange.route_class, exchange.standing)


def record_decided(runtime: Runtime, entry: AccessEntry, route_class: RouteClass, standing: str) -> None:
    """The event of a request for an action or a result."""
    if route_class in (RouteClass.ACTION, RouteClass.RESULT):
        runtime.events.record(
            RequestDecided(
                at=entry.at_ms,
                subject=entry.subject,
                route=entry.route,
                route_class=route_class.value,
                decision=entry.decision,
                reason=entry.reason,
                standing=standing,
                status=entry.status,
            )
        )


def record_held(runtime: Runtime, subject: str, record: HoldRecord) -> None:
    """The event of a result that is kept back. `subject` as events name it."""
    runtime.events.record(
        ResultHeld(
            at=runtime.now(),
            subject=subject,
            route=record.route,
            hold=record.id,
            media_type=record.media_type,
            size=record.size,
            expires=record.expires,
        )
    )


def record_delivery(runtime: Runtime, subject: str, route: str, by: Reason, size: int, key: str) -> None:
    """The event of a result that was delivered. `subject` as events name it, `by` the right it was delivered by, `key`
    the subject's own."""
    if key:
        runtime.tallies.add(key)
    runtime.events.record(ResultDelivered(at=runtime.now(), subject=subject, route=route, by=by.value, size=size))
