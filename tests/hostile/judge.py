"""Sends the variants, watches both oracles (delivered, executed), and asks after every batch who else was hurt."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .canonical import has_one_reading, names_result
from .collector import Collector
from .message import CANARY, MARKER, NONCE, TARGET, Variant, in_name_of, printable, request
from .rig import Server
from .variants import PLAIN
from .wire import Wire, exchange, read_answer, read_answers

_ANY_NONCE = re.compile(rb"nonce=([0-9a-f]{16})")
_AT_ONCE = 32
_BATCH = 512
"""Large, because one variant that a server leaves hanging keeps its whole batch waiting."""
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """What became of one variant.

    `delivered`: result bytes came back. `executed`: the targets for which the result's handler ran, as the application
    received them. `crossed`: an answer to someone else came back.
    """

    variant: Variant
    nonce: str
    received: bytes
    delivered: bool
    executed: tuple[bytes, ...]
    crossed: bool

    @property
    def reached(self) -> bool:
        """The result was had, by bytes or by effect."""
        return self.delivered or bool(self.executed)

    def story(self, upstream: str) -> str:
        """Upstream, what leaked, and the bytes both ways: enough to repeat it by hand."""
        leaked = [
            word
            for word, so in (("delivered", self.delivered), ("executed", self.executed), ("crossed", self.crossed))
            if so
        ]
        sent = self.variant.request(self.nonce)
        return (
            f"{upstream}: {' and '.join(leaked) or 'nothing leaked'}: {self.variant.name}\n"
            f"    sent {printable(sent[:600])}\n    got  {printable(self.received[:300])}"
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One run of variants against one server. `canaries`: what was wrong with innocent requests, batch by batch."""

    sightings: list[Sighting]
    canaries: list[str]
    unmarked: tuple[bytes, ...]
    """Targets for which the result's handler ran, of requests that had lost their nonce."""


class Judge:
    """Runs variants and open URLs; every request gets a nonce that no other request of the session has."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._numbers = itertools.count(1)

    def nonce(self) -> str:
        """A nonce never given before."""
        return f"{next(self._numbers):016x}"

    def run(self, variants: Sequence[Variant], server: Server, application: Server, *, canaries: bool) -> Run:
        """Send all variants to `server`, which is `application` or a gateway before it."""
        self._collector.runs.pop((application.name, "-"), None)
        received, complaints = asyncio.run(self._send_all(variants, server, canaries))
        asyncio.run(self._fence(application))
        sightings = [self._sighting(variant, nonce, data, application.name) for variant, nonce, data in received]
        return Run(sightings, complaints, self._collector.targets(application.name, "-"))

    def _sighting(self, variant: Variant, nonce: str, data: bytes, upstream: str) -> Sighting:
        everything = b"\n".join((data, *(answer.body for answer in read_answers(data))))
        return Sighting(
            variant,
            nonce,
            data,
            delivered=MARKER in everything,
            executed=self._collector.targets(upstream, nonce),
            crossed=bool(set(_ANY_NONCE.findall(everything)) - {nonce.encode()}),
        )

    async def _send_all(
        self, variants: Sequence[Variant], server: Server, canaries: bool
    ) -> tuple[list[tuple[Variant, str, bytes]], list[str]]:
        gate = asyncio.Semaphore(_AT_ONCE)
        received: list[tuple[Variant, str, bytes]] = []
        complaints: list[str] = []

        async def send(variant: Variant) -> tuple[Variant, str, bytes]:
            nonce = self.nonce()
            async with gate:
                data = await exchange(
                    server.port, variant.request(nonce),
                    answers=variant.answers, deadline_s=_PATIENCE_S, source=variant.source,
                )  # fmt: skip
            return variant, nonce, data

        for batch in _batched(variants):
            received += await asyncio.gather(*(send(variant) for variant in batch))
            if canaries:
                found = await asyncio.gather(*(self._canary(server, number % 2 == 0) for number in range(_AT_ONCE)))
                names = f"after {batch[0].name!r} to {batch[-1].name!r}"
                complaints += [f"{names}: {complaint}" for complaint in found if complaint]
        return received, complaints

    async def _canary(self, server: Server, for_result: bool) -> str | None:
        """Send one innocent request; say what is wrong with its answer, None when nothing is."""
        nonce = self.nonce()
        target = TARGET if for_result else b"/canary"
        expected = f"{MARKER.decode() if for_result else 'OPEN /canary'} nonce={nonce}\n".encode()
        data = await exchange(server.port, in_trial(request(target), nonce))
        found = read_answer(data)
        if found is not None and (found[0].status, found[0].body) == (200, expected):
            return None
        got = printable(data[:200]) or "nothing"
        return f"a trial subject's {printable(target)} got {got} instead of {printable(expected)}"

    async def _fence(self, application: Server) -> None:
        """Return when every run that was answered before has been reported: the fence's own report comes after them."""
        nonce = self.nonce()
        await exchange(application.port, PLAIN.request(nonce))
        await asyncio.to_thread(self._collector.wait_for, application.name, nonce)

    def compare_open(self, urls: Sequence[str], gateway: Server, application: Server) -> list[str]:
        """Ask for each URL directly and, as the expired subject, through the gateway; say where the answers differ."""
        return asyncio.run(self._compare_open(urls, gateway, application))

    async def _compare_open(self, urls: Sequence[str], gateway: Server, application: Server) -> list[str]:
        differences = []
        async with Wire(application.port) as direct, Wire(gateway.port) as gated:
            for url in urls:
                data = request(url.encode("ascii"), connection=None).replace(NONCE, self.nonce().encode())
                wanted, got = read_answer(await direct.ask(data)), read_answer(await gated.ask(data))
                if wanted is not None and b"\nconnection: close" in wanted[0].head.lower():
                    await direct.reconnect()
                if wanted is None or f"OPEN {url} ".encode() not in wanted[0].body:
                    differences.append(f"{application.name} itself does not echo {url}: {wanted}")
                elif got is None:
                    differences.append(f"{url}: no answer through the gateway")
                elif (got[0].status, got[0].body) != (wanted[0].status, wanted[0].body):
                    differences.append(
                        f"{url}: {got[0].status} {got[0].body[:200]!r}, directly {wanted[0].body[:200]!r}"
                    )
        return differences


def may_run_when_held(target: bytes) -> bool:
    """A result that is held may be produced, but only for a target that plainly names it, as the application got it."""
    return has_one_reading(target) and names_result(target)


def in_trial(data: bytes, nonce: str) -> bytes:
    """The same request in the canary's name."""
    return in_name_of(CANARY, data.replace(NONCE, nonce.encode()))


def _batched(variants: Sequence[Variant]) -> list[Sequence[Variant]]:
    return [variants[start : start + _BATCH] for start in range(0, len(variants), _BATCH)]
