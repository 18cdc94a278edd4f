"""The machine: a rule for every verb, each run on the store and on the model, which must agree on the outcome."""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from gateway.core.decision import Purse
from gateway.core.subject import Subject
from gateway.ports.cashbook import Settlement
from gateway.ports.operations import EraseOutcome, MergeOutcome
from gateway.ports.state import (
    GiveBackOutcome,
    GraceAsked,
    TakeOutcome,
    Taking,
    TrialBegin,
)
from gateway.store.connection import Store
from gateway.store.keys import subject_id, subject_key
from tests.model import catalog, compare
from tests.model.beside import SUBJECT
from tests.model.buying import Buying
from tests.model.keeping import Keeping
from tests.model.promised import ALLOWANCES
from tests.model.purses import GracePurse, NumberPurse
from tests.model.seen import Seen, look

_PURSES = {"credit": Purse.CREDIT, "window": Purse.WINDOW}
SCOPES = st.sampled_from(sorted(ALLOWANCES))
PURSES = st.sampled_from([*sorted(ALLOWANCES), *_PURSES])
OPERATIONS = st.sampled_from("abc")
HOLDS = st.sampled_from(sorted(catalog.CHUNKS))
PERIODS = st.sampled_from(catalog.PERIODS)


class Machine(Buying):
    """One history. `loop` and `store` belong to the class that is made for a server (`machine_for`)."""

    # Where a history begins: most of what can go wrong is some way off from the first visit

    @initialize(places=st.sets(st.sampled_from(["expired", "holding", "given", "paying", "paid", "declined"])))
    def begin(self, places: set[str]) -> None:
        if "expired" in places:
            self.expire()
        if "holding" in places:
            self.keep_whole("h1", catalog.SIZES[0], catalog.PERIODS[-1])
        if "given" in places:
            self.grant("at first", 0, 2)
        if "paying" in places:
            for checkout in sorted(catalog.CHECKOUTS):
                self.open_checkout(checkout, 0)
        if "paid" in places:
            self.open_and_settle(Settlement("e0", "p0", "five", catalog.PRICE, "sandbox"))
        if "declined" in places:
            self.decline("price", "")

    # The server

    @rule()
    def forget_scripts(self) -> None:
        self.run(self.store.link.ask(("SCRIPT", "FLUSH")))

    # Subjects

    @rule(
        begin=st.none() | st.sampled_from(catalog.TRIALS),
        starts=st.sampled_from([0, 0, -catalog.TRIALS[0], catalog.TRIALS[0]]),
        scope=SCOPES,
        letter=st.none() | OPERATIONS,
        credits=st.booleans(),
    )
    def visit(self, begin: int | None, starts: int, scope: str, letter: str | None, credits: bool) -> None:
        trial = None if begin is None else TrialBegin(begin, starts and self.now + starts)
        operation = letter and self._operation(scope, letter)
        taking = Taking(operation, credits) if operation else None
        seen = self.run(self.store.subjects.visit(SUBJECT, trial, _asked(scope), self.now, taking))
        self.agree(seen, self.model.visit(trial, scope, self.now, taking))
        if operation and seen.grace_taken:
            self.told["grace taken with a visit"] += 1
            self.asked.append((scope, operation))

    @rule(purse=PURSES, letter=OPERATIONS)
    def take(self, purse: str, letter: str) -> None:
        self._take(purse, self._operation(purse, letter))

    @rule(scope=SCOPES)
    def take_one_after_the_other(self, scope: str) -> None:
        """More than there are of the fewest."""
        for letter in "abc":
            self.take(scope, letter)

    @rule(purse=PURSES, letter=OPERATIONS)
    def give_back(self, purse: str, letter: str) -> None:
        self._give_back(purse, self._operation(purse, letter))

    @rule(purse=PURSES, letter=OPERATIONS)
    def take_for_nothing(self, purse: str, letter: str) -> None:
        """No result comes of it, and a copy of the question comes last of all."""
        operation = self._operation(purse, letter)
        self._take(purse, operation)
        self._give_back(purse, operation)
        self._take(purse, operation)

    @precondition(lambda self: self.asked)
    @rule(place=st.integers(0, 9), back=st.booleans())
    def ask_again(self, place: int, back: bool) -> None:
        """A copy that comes late, or a result that comes to nothing."""
        purse, operation = self.asked[-1 - place % len(self.asked)]
        if not self._promised(purse).is_uncertain(operation, self.now):
            (self._give_back if back else self._take)(purse, operation)

    @rule(results=st.integers(1, 3), length=PERIODS)
    def open_window(self, results: int, length: int) -> None:
        """No verb opens one yet: it is written as the verb will have to write it."""
        ends = self.now + length
        fields = ("id", subject_id(SUBJECT), "we", ends, "wl", results)
        self.run(self.store.link.ask(("HSET", subject_key(SUBJECT), *fields)))
        self.model.window.ends, self.model.window.left = ends, results

    @rule(reason=st.sampled_from(["price", "later"]), note=st.sampled_from(["", "too dear", "not now"]))
    def decline(self, reason: str, note: str) -> None:
        outcome = self.run(self.store.subjects.decline(SUBJECT, reason, note, self.now))
        self.agree(outcome, self.model.decline(reason, note, self.now))

    # Holds

    @rule(hold=HOLDS, max_count=st.integers(1, 3), size=st.sampled_from([0, *catalog.SIZES]))
    def begin_hold(self, hold: str, max_count: int, size: int = 0) -> None:
        total = catalog.MAX_TOTAL
        outcome = self.run(self.store.holds.begin(SUBJECT, hold, max_count, total, self.now, size))
        self.agree(outcome, self.model.keeping.begin(hold, max_count, total, self.now, size))

    @rule(hold=HOLDS.filter(lambda hold: catalog.CHUNKS[hold] > 0))
    def append_to_hold(self, hold: str) -> None:
        """The next chunk; where all are there, a copy of the first that comes late."""
        there = (number for number in range(catalog.CHUNKS[hold]) if (hold, number) not in self.model.keeping.chunks)
        number = next(there, 0)
        self.run(self.store.holds.append(SUBJECT, hold, number, catalog.chunk(hold, number)))
        self.model.keeping.append(hold, number, self.now)

    @rule(hold=HOLDS, size=st.sampled_from(catalog.SIZES), life=PERIODS)
    def commit_hold(self, hold: str, size: int, life: int) -> None:
        record = catalog.hold(hold, size, self.now, life)
        outcome = self.run(self.store.holds.commit(SUBJECT, record, catalog.MAX_TOTAL, self.now))
        self.agree(outcome, self.model.keeping.commit(record, catalog.MAX_TOTAL))

    @rule(hold=HOLDS, size=st.sampled_from(catalog.SIZES), life=PERIODS)
    def keep_whole(self, hold: str, size: int, life: int) -> None:
        self.begin_hold(hold, 3)
        for _ in range(catalog.CHUNKS[hold]):
            self.append_to_hold(hold)
        self.commit_hold(hold, size, life)

    @rule(hold=HOLDS)
    def discard_hold(self, hold: str) -> None:
        self.run(self.store.holds.discard(SUBJECT, hold))
        self.model.keeping.discard(hold)

    @rule(hold=HOLDS, credits=st.booleans())
    def release_hold(self, hold: str, credits: bool) -> None:
        outcome = self.run(self.store.holds.release(SUBJECT, hold, credits, self.now))
        self.agree(outcome, self.model.release(hold, credits, self.now))

    @rule(hold=HOLDS)
    def release_for_a_credit(self, hold: str) -> None:
        self.expire()
        self.grant("at first", 0, 2)
        self.keep_whole(hold, catalog.SIZES[0], catalog.PERIODS[-1])
        self.release_hold(hold, credits=True)

    @rule(hold=HOLDS)
    def read_hold(self, hold: str) -> None:
        record = self.model.keeping.held.get(hold)
        assert self.run(self.store.holds.get(SUBJECT, hold)) == record
        for number in range(catalog.CHUNKS[hold]):
            chunk = self.run(self.store.holds.chunk(SUBJECT, hold, number))
            assert chunk == (catalog.chunk(hold, number) if record else None)

    @rule(hold=HOLDS, since=st.sampled_from(catalog.TIMES))
    def find_hold(self, hold: str, since: int) -> None:
        fingerprint, not_before = catalog.fingerprint(hold), self.now - since
        same = [each for each in self.model.keeping.newest_first() if each.fingerprint == fingerprint]
        found = self.run(self.store.holds.find(SUBJECT, fingerprint, not_before))
        promised = next((each for each in same if each.created >= not_before), None)
        # Of several that were created at one instant each is the newest.
        assert (found and found.created) == (promised and promised.created)

    # Operators

    @rule()
    def expire(self) -> None:
        seen = self.run(self.store.operations.expire(SUBJECT, self.now))
        self.model.expire(self.now)
        self.agree(seen, self.model.state("", self.now))

    @rule(letter=OPERATIONS, by=PERIODS)
    def extend(self, letter: str, by: int) -> None:
        seen = self.run(self.store.operations.extend(SUBJECT, letter, by, self.now))
        self.model.extend(letter, by, self.now)
        self.agree(seen, self.model.state("", self.now))

    @rule(letter=OPERATIONS, period=st.just(0) | PERIODS, results=st.integers(0, 3))
    def grant(self, letter: str, period: int, results: int) -> None:
        seen = self.run(self.store.operations.grant(SUBJECT, letter, period, results, self.now))
        self.model.grant(letter, period, results, self.now)
        self.agree(seen, self.model.state("", self.now))

    @rule(ledger=st.sampled_from([False, False, True]))
    def erase(self, ledger: bool) -> None:
        before = self.run(look(self.store.link, subject_key(SUBJECT), self.merged))
        erased = self.run(self.store.operations.erase(SUBJECT, ledger, self.now))
        self.agree(erased, _to_erase(before, ledger, self.now))
        # What was sent for a hold after its reservation had ended is in no index: it vanishes within the hour, by the
        # promise of `append`, and can't be read before.
        left = self.run(look(self.store.link, subject_key(SUBJECT), self.merged)).chunks().keys()
        loose = {chunk: ends for chunk, ends in self.model.keeping.chunks.items() if chunk in left}
        assert not any(hold in self.model.keeping.reserved for hold, _ in loose)
        if erased is EraseOutcome.ERASED:
            self.model.erase(ledger, self.now)
        self.model.keeping = Keeping(chunks=loose)

    @rule(
        trial=st.none() | st.sampled_from(catalog.TRIALS),
        period=st.just(0) | PERIODS,
        results=st.integers(0, 3),
        is_repeated=st.booleans(),
    )
    def take_in(self, trial: int | None, period: int, results: int, is_repeated: bool) -> None:
        """A visitor who has this much signs in."""
        visitor = Subject.parse(f"visitor:{len(self.merged)}")
        self.merged.append(subject_key(visitor))
        if trial is not None:
            self.run(self.store.subjects.visit(visitor, TrialBegin(trial), now=self.now))
        if period or results:
            self.run(self.store.operations.grant(visitor, "gift", period, results, self.now))
        has_something = trial is not None or period > 0 or results > 0
        merged = self.run(self.store.operations.merge(visitor, SUBJECT, self.now))
        self.agree(merged, MergeOutcome.MERGED if has_something else MergeOutcome.UNKNOWN)
        if has_something:
            self.model.take_in(visitor.key, trial, period, results, self.now)
        if is_repeated:
            again = self.run(self.store.operations.merge(visitor, SUBJECT, self.now))
            self.agree(again, MergeOutcome.NOTHING_NEW if has_something else MergeOutcome.UNKNOWN)

    # After every step

    @invariant()
    def store_is_as_promised(self) -> None:
        for scope in ALLOWANCES:
            state = self.run(self.store.subjects.visit(SUBJECT, None, _asked(scope), self.now))
            assert state == self.model.state(scope, self.now)
        compare.everything(self.run(look(self.store.link, subject_key(SUBJECT), self.merged)), self.model, self.now)
        holds = self.run(self.store.holds.all(SUBJECT))
        assert [each.created for each in holds] == [each.created for each in self.model.keeping.newest_first()]
        assert {each.id: each for each in holds} == self.model.keeping.held

    def _take(self, purse: str, operation: str) -> None:
        taken = self.run(
            self.store.subjects.take(SUBJECT, _PURSES.get(purse, Purse.GRACE), operation, _asked(purse), self.now)
        )
        self.agree(taken, self._promised(purse).take(operation, self.now))
        if taken.outcome is TakeOutcome.TAKEN:
            self.asked.append((purse, operation))
            self._enter(purse, "spend", operation)

    def _give_back(self, purse: str, operation: str) -> None:
        back = self.run(
            self.store.subjects.give_back(SUBJECT, _PURSES.get(purse, Purse.GRACE), operation, _asked(purse), self.now)
        )
        self.agree(back, self._promised(purse).give_back(operation, self.now))
        self.asked.append((purse, operation))
        if back is GiveBackOutcome.GIVEN_BACK:
            self._enter(purse, "return", operation)

    def _enter(self, purse: str, kind: str, operation: str) -> None:
        if purse == "credit":
            self.model.money.ledger.append({"kind": kind, "at": self.now, "operation": operation})

    def _promised(self, purse: str) -> GracePurse | NumberPurse:
        numbers = {"credit": self.model.credit, "window": self.model.window}
        return numbers.get(purse) or self.model.grace[purse]

    def _operation(self, purse: str, letter: str) -> str:
        """Which operation the letter stands for: another, once nothing is promised of the one before."""
        name = f"{purse}-{letter}"
        if self._promised(purse).is_uncertain(f"{name}{self.generation[name]}", self.now):
            self.generation[name] += 1
        return f"{name}{self.generation[name]}"


def _to_erase(before: Seen, ledger: bool, now: int) -> EraseOutcome:
    """What erasing comes to, by all that there is of the subject."""
    names = before.keys.keys() - {f"hold:{hold}:{number}" for hold, number in before.chunks()}
    fields = before.fields()
    money = names & {"ledger", "marks"}
    rest = names - money - {""}
    if not names:
        return EraseOutcome.UNKNOWN
    is_personal = rest or fields.keys() - {"ts", "te", "ea", "st"} or int(fields.get("te", 0)) > now
    is_over = "ea" in fields and not is_personal and not (ledger and money)
    return EraseOutcome.ALREADY_ERASED if is_over else EraseOutcome.ERASED


def _asked(scope: str) -> GraceAsked | None:
    return GraceAsked(scope, ALLOWANCES[scope]) if scope in ALLOWANCES else None


def machine_for(store: Store, loop: asyncio.AbstractEventLoop, told: Counter[str] | None = None) -> type[Machine]:
    """A machine on this server, all of whose data is its own to throw away."""
    members = {"store": store, "loop": loop, "told": Counter() if told is None else told}
    return type("Machine", (Machine,), members)
