"""What every rule has: a store, the model beside it, and an instant."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gateway.core.subject import Subject
from gateway.ports.cashbook import Settlement
from gateway.store.connection import Store
from tests.model import catalog
from tests.model.promised import Promised
from tests.model.seen import pass_time

T = TypeVar("T")

SUBJECT = Subject.parse("person:model@example.org")


class Beside(RuleBasedStateMachine):
    """One history. `loop` and `store` belong to the class that is made for a server."""

    loop: asyncio.AbstractEventLoop
    store: Store
    told: Counter[str]
    """How often each outcome came about, of all histories."""
    is_to_end = False
    """Whether somebody wants no more histories. Between two of them nothing is under way that could be cut off."""

    def __init__(self) -> None:
        super().__init__()
        if self.is_to_end:
            raise KeyboardInterrupt
        self.run(self.store.link.ask(("FLUSHDB",)))
        self.now = catalog.first_instant()
        self.model = Promised()
        self.reported: list[Settlement] = []
        self.asked: list[tuple[str, str]] = []
        """Of which purses something was taken, or given back, and by which operations."""
        self.generation: Counter[str] = Counter()
        self.merged: list[str] = []
        """The keys of those who became this subject."""
        self.told["histories"] += 1

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for it."""
        return self.loop.run_until_complete(work)

    def agree(self, seen: object, promised: object) -> None:
        """The store says what the model says."""
        assert seen == promised, f"the store says {seen}, promised is {promised}"
        word = getattr(seen, "outcome", seen)
        if isinstance(word, StrEnum):
            self.told[f"{type(word).__name__}.{word}"] += 1

    # Time and the server

    @rule(by=st.sampled_from(catalog.TIMES))
    def pass_time(self, by: int) -> None:
        self.now += by
        self.model.pass_time(self.now)
        self.run(pass_time(self.store.link, by))
