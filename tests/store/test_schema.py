"""Two versions of the gateway on one store: what is added is left alone, and what would be misread is not touched."""

from __future__ import annotations

import pytest

from gateway.core.finding import Gravity, Matter
from gateway.core.quantity import DAY, Allowance
from gateway.core.subject import Subject
from gateway.ports.state import GraceAsked, NotAsked, TrialBegin
from gateway.store.connection import Store, open_store
from gateway.store.fitness import checkup
from gateway.store.keys import SCHEMA_KEY, subject_key
from gateway.store.schema import SCHEMA, SchemaTooNew, agree_on_schema, schema_findings
from tests.store.conftest import until

GRACE = GraceAsked("exports", Allowance(2, 30 * DAY))


async def later_version(store: Store) -> None:
    """A gateway whose data ours would misread has been at work."""
    await store.link.ask(("HSET", SCHEMA_KEY, "newest", SCHEMA + 2, "oldest", SCHEMA + 1))


async def test_the_first_gateway_leaves_word(store: Store) -> None:
    await store.link.ask(("DEL", SCHEMA_KEY))
    await agree_on_schema(store.link)
    ((newest, oldest),) = await store.link.ask(("HMGET", SCHEMA_KEY, "newest", "oldest"))
    assert (newest, oldest) == (str(SCHEMA).encode(), None)


async def test_a_newer_one_beside_it_is_no_trouble_as_long_as_it_says_so(store: Store, subject: Subject) -> None:
    await store.link.ask(("HSET", SCHEMA_KEY, "newest", SCHEMA + 1, "oldest", SCHEMA))
    await agree_on_schema(store.link)
    ((newest, _),) = await store.link.ask(("HMGET", SCHEMA_KEY, "newest", "oldest"))
    assert int(newest) == SCHEMA + 1
    assert (await store.subjects.visit(subject, TrialBegin(DAY))).trial_began
    (found,) = await schema_findings(store.link)
    assert found.gravity is Gravity.GOOD


async def test_a_gateway_does_not_start_on_what_it_would_misread(store: Store, url: str, subject: Subject) -> None:
    await later_version(store)
    other = open_store(url)
    with pytest.raises(SchemaTooNew, match="start the newer version"):
        await other.start()
    with pytest.raises(NotAsked, match="schema"):
        await other.subjects.visit(subject, TrialBegin(DAY))
    assert not await other.ping()
    await other.stop()
    assert await store.link.ask(("EXISTS", subject_key(subject))) == [0]


async def test_one_that_runs_stops_to_work_on_it_and_says_why(
    url: str, store: Store, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "EVERY_SECONDS", 0.05)
    running, told = open_store(url), list[str]()
    await running.start(told.append)
    try:
        await running.subjects.visit(subject)
        await later_version(store)
        await until(lambda: any("schema" in line for line in told), "it says why")
        heard: list[object] = []
        running.subjects.visit_soon(subject, None, GRACE, None, heard.append)
        await until(lambda: bool(heard), "an answer")
        assert isinstance(heard[0], NotAsked)
        with pytest.raises(NotAsked, match="schema"):
            await running.holds.all(subject)
        assert any("schema" in line for line in running.warnings())
    finally:
        await running.stop()


async def test_doctor_sees_it_and_changes_nothing(store: Store) -> None:
    await store.link.ask(("DEL", SCHEMA_KEY))
    assert [each.gravity for each in await schema_findings(store.link)] == [Gravity.GOOD]
    assert await store.link.ask(("EXISTS", SCHEMA_KEY)) == [0]
    await later_version(store)
    (found,) = await schema_findings(store.link)
    assert (found.gravity, found.matter) == (Gravity.FAULT, Matter.STORE_SCHEMA)
