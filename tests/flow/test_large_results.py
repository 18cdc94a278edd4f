"""Large results through real processes: into a real directory and real buckets, killed, on full disks, damaged."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.access.parcel import name_of
from gateway.access.sweep import Sweeper, Swept
from gateway.cli.store_access import with_store
from gateway.core.quantity import DAY
from gateway.core.subject import Subject
from gateway.ports.storage import StockIdentity
from gateway.settings.load import load_settings
from gateway.store.connection import Store
from gateway_storage_directory.provider import DirectorySettings, DirectoryStorage
from tests.access.buckets import KEYS, make_bucket, server_of_buckets
from tests.plugins.host import FakeHost

from .conftest import Paywall
from .raw import RawApplication, answer
from .service import Reply, Service, pay, read_head, read_to_end, wait_until

CONFIG = """
data: {data}
upstream: {{url: "{upstream}", read_timeout: 10s}}
secret: {{env: THE_SECRET}}
former_secrets: {former}
sandbox: allowed
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
trial: {{length: 0s}}
holds: {{max_size: 16MiB, max_total: 40MiB, large: 600KiB, storage: {storage}}}
plans:
  - {{id: single, name: This result, price: 3.00 USD, gives: 1 result}}
  - {{id: five, name: Five results, price: 10.00 USD, gives: 5 results}}
payments:
  - sandbox: {{}}
log: {{format: json}}
routes:
  - {{path: "/blocked", class: result, mode: block}}
  - {{path: "/**", class: result}}
"""
BODY = bytes(number % 251 for number in range(3_000_017))
TYPE = b"content-type: application/octet-stream"
SECRETS = {"THE_SECRET": "s" * 32, "THE_FORMER": "s" * 32, "THE_NEXT": "n" * 32, **KEYS}


class Place:
    """A gateway before an application that makes a large result, and what it keeps where."""

    def __init__(self, raw: RawApplication, folder: Path, storage: str) -> None:
        self.raw, self.folder, self.storage = raw, folder, storage
        raw.answers[b"/large"] = answer(TYPE, body=BODY)
        self.holds = folder / "holds"
        self.service = self.made()

    def made(self, secret: str = "THE_SECRET", former: str = "[]", beforehand: str = "") -> Service:
        config = CONFIG.format(
            upstream=self.raw.url, data=self.folder / "data", former=former, storage=self.storage
        ).replace("THE_SECRET", secret)
        self.service = Service(self.folder, config, environment=SECRETS, beforehand=beforehand)
        return self.service

    def again(self, secret: str = "THE_SECRET", former: str = "[]") -> None:
        """Stop it and start it anew."""
        assert self.service.stop() == 0
        self.made(secret, former).start()

    def ask(self, path: str, person: str = "ann", method: str = "GET") -> Reply:
        return self.service.request(method, path, {"x-user-id": person})

    def hold(self, person: str = "ann") -> dict[str, Any]:
        reply = self.ask("/large", person)
        assert (reply.status, reply.reason) == (402, "result-held"), reply.body
        told: dict[str, Any] = {**reply.json()["hold"], "checkout": reply.json()["checkout"][0]["address"]}
        return told

    def buy_five(self, person: str = "ann") -> None:
        offer = self.ask("/blocked", person).json()
        assert pay(self.service, person, offer["checkout"][1]["address"]).status == 303

    def credits(self, person: str = "ann") -> int:
        return int(self.service.me(person)["results_paid_for"])

    def files(self) -> list[Path]:
        return sorted(path for path in self.holds.rglob("*") if path.is_file() and path.parent.name != "sweeps")

    def sweep_after_a_year(self) -> Swept:
        """With a clock that is ahead, of a process of its own: the files are a year old by it."""

        async def sweep(store: Store) -> Swept:
            storage = DirectoryStorage(DirectorySettings(path=self.holds), FakeHost())
            return await Sweeper(storage, store.stock, lambda: int(time.time() * 1000) + 365 * DAY).sweep()

        return with_store(load_settings(self.service.config, environ=SECRETS).settings, sweep)


@pytest.fixture
def place(raw: RawApplication, tmp_path: Path) -> Iterator[Place]:
    made = Place(raw, tmp_path, f"{{directory: {{path: {tmp_path}/holds}}}}")
    made.service.start()
    yield made
    made.service.stop()


def test_it_is_held_and_released_as_it_was(place: Place, paywall: Paywall, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    told = place.hold()
    assert len(place.files()) == 6 and told["size"] == len(BODY)
    assert place.ask(told["release"]).status == 402
    config = str(place.service.config)
    assert paywall("holds", "list", config).messages == "paywall: 0 paid for and not taken, 0 B\n"
    assert pay(place.service, "ann", told["checkout"]).status == 303
    listed = paywall("holds", "list", config)
    assert listed.output.split()[1:] == ["2.9", "MiB", "person:ann", "all", told["id"]]
    assert "1 paid for and not taken, 2.9 MiB, the oldest of 20" in listed.messages
    assert place.sweep_after_a_year().removed == 0
    for _ in range(2):
        released = place.ask(told["release"])
        assert (released.status, released.body) == (200, BODY)
    assert "0 paid for and not taken" in paywall("holds", "list", config, "--json").messages
    swept = paywall("holds", "sweep", config)
    assert (swept.code, swept.messages) == (0, "paywall: 0 of 1 results removed, 0 B; 2.9 MiB are left\n")


def test_small_ones_stay_in_the_store(place: Place) -> None:
    place.raw.answers[b"/small"] = answer(TYPE, body=b"x" * 600_000)
    assert place.ask("/small").reason == "result-held"
    assert place.files() == []


def test_erased_with_its_subject(place: Place, paywall: Paywall, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    place.hold()
    place.hold("bob")
    done = paywall("subject", "erase", "person:ann", "--config", str(place.service.config), "--yes")
    assert (done.code, done.messages) == (0, "paywall: person:ann is forgotten\n")
    assert len(place.files()) == 6, "those of Bob"


def test_killed_before_it_was_complete_it_is_never_seen_and_swept(place: Place) -> None:
    def half(connection: object, _: bytes) -> None:
        connection.sendall(place.raw.answers[b"/large"][:2_000_000])  # type: ignore[attr-defined, index]
        connection.recv(1)  # type: ignore[attr-defined]

    place.raw.answers[b"/half"] = half
    with place.service.connect() as client:
        client.sendall(b"GET /half HTTP/1.1\r\nhost: a.example\r\nx-user-id: ann\r\n\r\n")
        wait_until(lambda: len(place.files()) == 3, "chunks are written")
        assert place.service.process is not None
        place.service.process.kill()
        place.service.process.wait()
    place.made().start()
    assert place.service.me("ann")["holds"] == []
    assert len(place.files()) == 3
    assert place.sweep_after_a_year().removed == 0, "its reservation stands for an hour"
    told = place.hold()
    with_store(load_settings(place.service.config, environ=SECRETS).settings, _forget_reservations)
    assert place.sweep_after_a_year().removed == 1
    assert len(place.files()) == 6
    pay(place.service, "ann", told["checkout"])
    assert place.ask(told["release"]).body == BODY


async def _forget_reservations(store: Store) -> None:
    (keys,) = await store.link.ask(("KEYS", "*:reserved"))
    for key in keys:
        await store.link.ask(("DEL", key))


def test_on_a_full_disk_nothing_is_kept_nothing_charged_and_it_goes_on(raw: RawApplication, tmp_path: Path) -> None:
    disk = tmp_path / "holds"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("nobody may mount a small disk here")
    try:
        place = Place(raw, tmp_path, f"{{directory: {{path: {disk}}}}}")
        place.service.start()
        try:
            place.buy_five("bob")
            place.hold()
            refused = place.ask("/large", "carl")
            assert (refused.status, refused.reason) == (503, "store-unavailable")
            entry = place.service.entry("/large", status=503)
            assert "No space left on device" in entry["detail"]
            assert len(place.files()) == 6, "those of Ann alone"
            assert place.service.me("carl")["holds"] == []
            assert place.ask("/large", "bob").body == BODY, "who has paid needs no room"
            shutil.rmtree(next(disk.iterdir()))
            place.hold("carl")
        finally:
            place.service.stop()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_what_is_damaged_is_said_and_costs_nothing(place: Place, damage: str) -> None:
    told = place.hold()
    place.buy_five()
    chunk = place.files()[3]
    content = bytearray(chunk.read_bytes())
    content[100] ^= 1
    chunk.unlink() if damage == "missing" else chunk.write_bytes(content)
    reply = place.ask(told["release"])
    assert (reply.status, reply.reason) == (500, "hold-damaged")
    assert "No payment is lost" in reply.json()["detail"]
    assert place.credits() == 5
    assert "chunk" in place.service.entry(told["release"], status=500)["detail"]
    content[100] ^= 1
    chunk.write_bytes(content)
    assert place.ask(told["release"]).body == BODY and place.credits() == 4


def test_a_new_secret_opens_what_the_former_one_sealed(place: Place) -> None:
    told = place.hold()
    place.buy_five()
    place.again("THE_NEXT")
    reply = place.ask(told["release"])
    assert (reply.status, reply.reason, place.credits()) == (404, "hold-unknown", 5)
    place.again("THE_NEXT", "[{env: THE_FORMER}]")
    assert place.ask(told["release"]).body == BODY and place.credits() == 4
    assert place.ask(place.hold("bob")["release"], "bob").status == 402


def test_in_a_bucket(raw: RawApplication, tmp_path: Path, paywall: Paywall, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    keys = "access_key_id: {env: HOLDS_KEY_ID}, secret_access_key: {env: HOLDS_KEY}"
    with server_of_buckets() as address:
        make_bucket(address, "holds")
        place = Place(raw, tmp_path, f"{{s3: {{bucket: holds, endpoint: '{address}', {keys}}}}}")
        place.service.start()
        try:
            told = place.hold()
            place.buy_five()
            done = paywall("doctor", str(place.service.config))
            assert "holds.storage: s3 takes, gives back and removes what is written" in done.output
            done = paywall("holds", "sweep", str(place.service.config), "--dry-run")
            assert "0 of 1 results would be removed" in done.messages
            assert place.ask(told["release"]).body == BODY and place.credits() == 4
            second = place.hold("bob")
            place.buy_five("bob")
        except BaseException:
            place.service.stop()
            raise
    try:
        reply = place.ask(second["release"], "bob")
        assert (reply.status, reply.reason) == (503, "store-unavailable")
        assert place.credits("bob") == 5
        assert place.ask("/large", "carl").status == 503
        done = paywall("doctor", str(place.service.config))
        assert "holds.storage: it does not keep what is written: the bucket holds" in done.output
    finally:
        place.service.stop()


def test_doctor_finds_a_directory_that_is_not_ours(
    place: Place, paywall: Paywall, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert "directory takes, gives back" in paywall("doctor", str(place.service.config)).output
    shutil.rmtree(place.holds)
    place.holds.write_text("a file")
    done = paywall("doctor", str(place.service.config))
    assert done.code == 1 and "holds.storage: it does not keep what is written" in done.output


def test_memory_stays_flat(place: Place) -> None:
    """However large a result is, a frame or two of it are in memory."""
    body = os.urandom(15 * 2**20)
    place.raw.answers[b"/larger"] = answer(TYPE, body=body)
    place.hold("carl")
    before = place.service.memory()
    told = place.ask("/larger").json()
    held = place.service.memory()
    pay(place.service, "ann", told["checkout"][0]["address"])
    assert place.ask(told["hold"]["release"]).body == body
    assert max(held, place.service.memory()) - before < 9 * 2**20


def test_what_is_damaged_under_way_breaks_the_answer_off_and_is_said(place: Place) -> None:
    """It is paid for already: what opens goes out at once, and the rest is not made up."""
    told = place.hold()
    pay(place.service, "ann", told["checkout"])
    chunk = place.files()[4]
    content = chunk.read_bytes()
    chunk.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with place.service.connect() as client:
        client.sendall(b"GET %s HTTP/1.1\r\nhost: a.example\r\nx-user-id: ann\r\n\r\n" % told["release"].encode())
        head, rest = read_head(client)
        body = rest + read_to_end(client)
    assert head.startswith(b"HTTP/1.1 200") and len(body) < len(BODY) and BODY.startswith(body)
    assert "chunk 4 of a held result does not open" in place.service.entry(told["release"], status=200)["detail"]
    assert not [line for line in place.service.messages if "Traceback" in line]
    chunk.write_bytes(content)
    assert place.ask(told["release"]).body == BODY


def leftover(place: Place) -> Path:
    """What a gateway left that was killed long ago."""

    async def find(store: Store) -> StockIdentity:
        return await store.stock.identity()

    identity = with_store(load_settings(place.service.config, environ=SECRETS).settings, find)
    folder = place.holds / name_of(
        identity, Subject.parse("person:zoe").key, "h" * 32, int(time.time() * 1000) - 9 * DAY
    )
    made = place.folder / "made"
    made.mkdir()
    for name in ("0", "1", ".new-2-abcd"):
        (made / name).write_bytes(b"sealed")
        os.utime(made / name, (0, time.time() - 9 * 86_400))
    folder.parent.mkdir(parents=True)
    made.rename(folder)
    return folder


def test_the_gateway_sweeps_by_itself(raw: RawApplication, tmp_path: Path) -> None:
    place = Place(raw, tmp_path, f"{{directory: {{path: {tmp_path}/holds}}}}")
    soon = "import gateway.wiring.sweeping as it; it._FIRST_SECONDS = 1.0; it._ASK_SECONDS = 0.1; it.EVERY_MS = 500"
    place.made(beforehand=soon).start()
    try:
        told = place.hold()
        folder = leftover(place)
        wait_until(lambda: not folder.exists(), "it is swept")
        wait_until(
            lambda: "paywall: swept the storage of held results: 1 of 2 removed, 12 bytes\n" in place.service.messages,
            "it is said",
        )
        pay(place.service, "ann", told["checkout"])
        assert place.ask(told["release"]).body == BODY
    finally:
        place.service.stop()


def test_a_sweep_by_hand_can_be_looked_at_first(
    place: Place, paywall: Paywall, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    place.hold()
    folder, config = leftover(place), str(place.service.config)
    for _ in range(2):
        done = paywall("holds", "sweep", config, "--dry-run")
        assert done.messages == "paywall: 1 of 2 results would be removed, 12 B; 2.9 MiB would be left\n"
    assert folder.exists()
    done = paywall("holds", "sweep", config)
    assert done.messages == "paywall: 1 of 2 results removed, 12 B; 2.9 MiB are left\n"
    assert not folder.exists() and len(place.files()) == 6
    for command, code in ((("holds", "sweep"), 1), (("holds", "list"), 0)):
        place.service.config.write_text(
            CONFIG.format(upstream=place.raw.url, data=place.folder / "data", former="[]", storage="store")
        )
        done = paywall(*command, config)
        assert done.code == code
    assert "no `holds.storage`" in paywall("holds", "sweep", config).messages


def test_a_store_that_was_put_back_is_told_with_the_way_out(
    place: Place, paywall: Paywall, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    place.hold()
    config = str(place.service.config)
    assert paywall("holds", "sweep", config).code == 0

    async def put_back(store: Store) -> None:
        await store.link.ask(("HDEL", "{pw:stock}", "sweeps"))

    with_store(load_settings(place.service.config, environ=SECRETS).settings, put_back)
    done = paywall("holds", "sweep", config)
    assert done.code == 1 and done.messages.rstrip().endswith("go on with --trust-store")
    assert paywall("holds", "sweep", config, "--trust-store").code == 0
    assert paywall("holds", "sweep", config).code == 0
