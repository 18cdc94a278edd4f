"""While the store is away: who has paid goes on, nobody else gets anything for nothing, browsing notices nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.store_access import with_store
from gateway.core.quantity import DAY
from gateway.core.subject import Subject, SubjectKind
from gateway.settings.load import load_settings
from tests.store.fleet import Fleet, Server, fleet

from .application import Application
from .conftest import CONFIG
from .service import Reply, Service, wait_until

SECRET = {"GATEWAY_SECRET": "a secret for nothing but these tests"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as several:
        yield several


@pytest.fixture
def store(servers: Fleet) -> Server:
    return servers.start()


@pytest.fixture
def service(application: Application, store: Server, tmp_path: Path) -> Iterator[Service]:
    """A gateway before which Ann has paid for a month, Tim is on trial and Bob's trial is over."""
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    config += f"store: redis://127.0.0.1:{store.port}\nsecret: {{env: GATEWAY_SECRET}}\n"
    one = Service(tmp_path, config, environment=SECRET).start()
    one.expire("bob")
    for person in ("ann", "carl"):
        one.expire(person)
        grant(one, person)
    yield one
    one.stop()


def grant(service: Service, person: str) -> None:
    subject = Subject(SubjectKind.PERSON, person)
    settings = load_settings(service.config).settings
    with_store(settings, lambda store: store.operations.grant(subject, "month", 30 * DAY, 0))


def ask(service: Service, person: str, *cookies: str, path: str = "/reports/7") -> Reply:
    return service.request("GET", path, {"x-user-id": person, **({"cookie": "; ".join(cookies)} if cookies else {})})


@pytest.mark.parametrize("how", ["it is dead", "it hangs"])
def test_whoever_was_known_to_have_a_right_goes_on(service: Service, store: Server, how: str) -> None:
    for person in ("ann", "tim"):
        for _ in range(5):  # the first begins what the next remembers
            assert ask(service, person).status == 200
    assert ask(service, "bob").status == 402
    store.kill() if how == "it is dead" else store.hang()
    for _ in range(2):
        assert ask(service, "ann").status == 200
        assert ask(service, "tim").status == 200
        refused = ask(service, "bob")
        assert (refused.status, refused.reason, refused.header("retry-after")) == (503, "store-unavailable", "1")
        assert ask(service, "carl").status == 503, "paid, but nobody here knows of it"
        assert ask(service, "bob", path="/any").status == 200
    entry = service.entry("/reports/7", status=200)
    assert (entry["decision"], entry["reason"]) in (("forward", "entitled"), ("forward", "trial"))
    if how == "it hangs":
        store.go_on()
        wait_until(lambda: ask(service, "carl").status == 200, "everybody is looked up again")
        assert ask(service, "bob").status == 402


def test_a_proof_goes_along_where_nobody_is_known(service: Service, store: Server, application: Application) -> None:
    given = {}
    for person in ("ann", "carl"):
        reply = ask(service, person, "session=1")
        (cookie,) = [value for name, value in reply.headers if name.lower() == "set-cookie"]
        given[person] = cookie.partition(";")[0]
        assert given[person].startswith("paywall_right=")
    assert "set-cookie" not in {name.lower() for name, _ in ask(service, "ann", given["ann"]).headers}
    assert "set-cookie" not in {name.lower() for name, _ in ask(service, "ann").headers}, "it keeps none"
    service.stop()
    store.kill()
    again = Service(service.folder, service.config.read_text(), environment=SECRET).start()
    try:
        assert ask(again, "ann", given["ann"]).status == 200
        assert again.request("POST", "/reports/7", {"x-user-id": "ann", "cookie": given["ann"]}, b"x").status == 200
        assert ask(again, "ann").status == 503
        assert ask(again, "bob", given["ann"]).status == 503, "it is Ann's"
        assert ask(again, "bob", given["ann"], given["carl"]).status == 503
        assert ask(again, "carl", given["ann"], given["carl"]).status == 200
        assert ask(again, "ann", given["ann"][:-1] + "!").status == 503
        reply = ask(again, "ann", given["ann"])
        assert "set-cookie" not in {name.lower() for name, _ in reply.headers}, "nothing is proven anew by a proof"
    finally:
        again.stop()
