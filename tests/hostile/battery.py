"""What a run of variants against a gateway amounts to: how many leaked, by which oracle, and whom it hurt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .judge import Judge, Run, Sighting, may_run_when_held
from .message import Variant
from .rig import Server


@dataclass(slots=True)
class Tally:
    """The counts of some runs, and what is to be told of each leak."""

    variants: int = 0
    delivered: int = 0
    executed_wrongly: int = 0
    canaries_wrong: int = 0
    failed: int = 0
    """Answers with status 500."""
    unanswered: int = 0
    """Refused because the store did not answer in time: they prove nothing."""
    complaints: list[str] = field(default_factory=list)

    @property
    def leaks(self) -> int:
        """Everything that must be 0; an answer with status 500 is no leak."""
        return len(self.complaints)

    def add(self, run: Run, upstream: str, held: bool) -> None:
        """Count one run."""
        self.variants += len(run.sightings)
        self.canaries_wrong += len(run.canaries)
        self.complaints += run.canaries
        for one in run.sightings:
            wrongly = not may_run(one.executed, held)
            self.delivered += one.delivered or one.crossed
            self.executed_wrongly += wrongly
            self.failed += one.received.startswith(b"HTTP/1.1 500")
            self.unanswered += b"\r\npaywall-reason: store-unavailable\r\n" in one.received
            if one.delivered or one.crossed or wrongly:
                self.complaints.append(one.story(upstream))
        if not may_run(run.unmarked, held):
            self.executed_wrongly += 1
            self.complaints.append(f"{upstream}: ran for requests without their nonce: {run.unmarked}")


def is_leak(sighting: Sighting, held: bool) -> bool:
    """Whether this must not have happened through a gateway."""
    return sighting.delivered or sighting.crossed or not may_run(sighting.executed, held)


def may_run(targets: tuple[bytes, ...], held: bool) -> bool:
    """Whether the result's handler may have run for these targets, where results are held or not."""
    return all(held and may_run_when_held(target) for target in targets)


def sent_on(judge: Judge, variants: Sequence[Variant], gateway: Server, sieve: Server) -> tuple[list[Variant], Run]:
    """Those of the variants that the gateway sends on at all: what the sieve does not see, nothing else would.

    It is the same gateway under the same config, which does not know what stands behind it.
    """
    run = judge.run(variants, gateway, sieve, canaries=True)
    return [one.variant for one in run.sightings if one.reached], run
