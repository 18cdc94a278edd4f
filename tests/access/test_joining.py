"""What a visitor who signs in brings along, and what not."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access.identify import IdentityChain
from gateway.access.joining import Joining
from gateway.core.keyring import Keyring
from gateway.core.quantity import DAY, Allowance
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.ports.identity import Credentials, Identified
from gateway.ports.state import TrialBegin
from gateway.ports.trials import TrialClaim
from gateway.store.connection import Store
from tests.access.test_identify import Provider

NOW = 1_900_000_000_000
COOKIE = Credentials([(b"cookie", b"v=1")], peer_trusted=False)
MAIL = TrialClaim("mail", "digest", Allowance(1, 400 * DAY))


class Visitors(Provider):
    """Knows one visitor by a cookie, and makes new ones."""

    def __init__(self, known: Subject) -> None:
        super().__init__(Identified(known), "cookie", proven=False)
        self.made = 0

    async def identify(self, credentials: Credentials) -> Any:
        if credentials.headers:
            return await super().identify(credentials)
        self.made += 1
        return Identified(Subject.parse(f"visitor:fresh-{self.made}"), set_cookie=b"v=%d" % self.made)


class Heard:
    """What is told of trials, and recorded."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def tell(self, subject: Subject, state: SubjectState) -> None:
        if state.trial_refused:
            self.refused.append(state.trial_refused)


@pytest.fixture
def visitor() -> Subject:
    return Subject.parse("visitor:known")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def joining(store: Store, subject: Subject, visitor: Subject, heard: Heard) -> Joining:
    identities = IdentityChain((Provider(Identified(subject)), Visitors(visitor)), print)
    keyring = Keyring(b"s" * 32)
    return Joining(identities, store.operations, store.subjects, store.events, keyring, lambda: NOW, heard.tell)


async def test_a_trial_that_began_at_a_date_stands(
    store: Store, subject: Subject, visitor: Subject, joining: Joining
) -> None:
    await store.subjects.visit(visitor, TrialBegin(14 * DAY))
    created = TrialBegin(14 * DAY, from_ms=1_000)
    await joining.join(visitor, subject, COOKIE, created)
    state = await store.subjects.visit(subject, created)
    assert (state.trial_started, state.trial_ends) == (1_000, 1_000 + 14 * DAY)


async def test_a_trial_that_is_refused_is_refused(
    store: Store, subject: Subject, visitor: Subject, joining: Joining, heard: Heard
) -> None:
    begin = TrialBegin(14 * DAY, claims=(MAIL,))
    assert (await store.subjects.visit(Subject.parse("person:first"), begin)).trial_began
    await store.subjects.visit(visitor, TrialBegin(14 * DAY))
    for _ in range(2):
        await joining.join(visitor, subject, COOKIE, begin)
    assert (await store.subjects.visit(subject, begin)).trial_ends == 1
    assert heard.refused == ["mail"]


@pytest.mark.parametrize("claims", [(), (MAIL,)])
async def test_what_is_granted_begins_no_sooner_for_it(
    store: Store, subject: Subject, visitor: Subject, joining: Joining, claims: tuple[TrialClaim, ...]
) -> None:
    begin = TrialBegin(14 * DAY, claims=claims)
    await joining.join(visitor, subject, COOKIE, begin)
    assert (await store.subjects.visit(subject)).trial_started == 0
    assert (await store.subjects.visit(subject, begin)).trial_began


async def test_a_program_that_keeps_its_cookie_leaves_no_visitors_behind(
    store: Store, subject: Subject, visitor: Subject, joining: Joining
) -> None:
    await store.subjects.visit(visitor, TrialBegin(14 * DAY))

    async def subjects() -> int:
        return len([name for (names,) in [await store.link.ask(("KEYS", "pw:{*}"))] for name in names])

    for _ in range(5):
        joined = await joining.join(visitor, subject, COOKIE, None, for_page=False)
        assert joined is not None and joined.is_merged and not joined.cookie
    before = await subjects()
    assert joining.known(visitor, subject, for_page=False) is joined
    assert joining.known(visitor, subject, for_page=True) is None, "a page brings the cookie"
    joined = await joining.join(visitor, subject, COOKIE, None, for_page=True)
    assert joined is not None and joined.cookie == b"v=1"
    assert await subjects() == before + 1
    for for_page in (True, False):
        assert joining.known(visitor, subject, for_page=for_page) is joined
