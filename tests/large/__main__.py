"""Hold results of hundreds of MiB and give them out again, byte for byte, and see what memory that takes.

`make large`, or `python -m tests.large --mebibytes 200 --at-once 20`.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.access.buckets import KEYS, make_bucket, server_of_buckets
from tests.flow.raw import RawApplication
from tests.flow.service import Service, pay

CONFIG = """
data: {data}
upstream: {{url: "{upstream}", read_timeout: 60s}}
sandbox: allowed
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
trial: {{length: 0s}}
holds: {{max_size: 2GiB, max_total: 4GiB, max_wait: 1h, storage: {storage}}}
plans:
  - {{id: single, name: This result, price: 3.00 USD, gives: 1 result}}
  - {{id: five, name: Five results, price: 10.00 USD, gives: 5 results}}
payments:
  - sandbox: {{}}
routes:
  - {{path: "/blocked", class: result, mode: block}}
  - {{path: "/**", class: result}}
"""
MIB = 2**20
FLAT_MIB = 24
"""More than this above what it had before, and memory is not flat."""


def pieces(count: int) -> Iterator[bytes]:
    """So many MiB that do not repeat, the same every time."""
    block = random.Random(1).randbytes(MIB)
    for number in range(count):
        yield number.to_bytes(8, "big") + block[8:]


def digest_of(count: int) -> str:
    digest = hashlib.sha256()
    for piece in pieces(count):
        digest.update(piece)
    return digest.hexdigest()


def serving(count: int, announced: bool) -> object:
    """Answers with so many MiB, with or without their length."""

    def script(connection: socket.socket, _: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
        if announced:
            connection.sendall(head + b"content-length: %d\r\n\r\n" % (count * MIB))
        else:
            connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n")
        for piece in pieces(count):
            connection.sendall(piece if announced else b"%x\r\n%b\r\n" % (len(piece), piece))
        if not announced:
            connection.sendall(b"0\r\n\r\n")

    return script


class Memory:
    """The most that a process has in use meanwhile."""

    def __init__(self, service: Service) -> None:
        self._service, self._over = service, threading.Event()
        self.before = self.most = service.memory()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, self._service.memory())

    def end(self) -> float:
        """MiB above what it had before."""
        self._over.set()
        self._thread.join()
        return (self.most - self.before) / MIB


def fetch(service: Service, path: str, person: str) -> tuple[int, str, bytes]:
    """Status, digest and the first bytes of an answer, which is never in memory as a whole."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=600)
    connection.request("GET", path, headers={"x-user-id": person})
    answer = connection.getresponse()
    digest, first = hashlib.sha256(), b""
    while piece := answer.read(MIB):
        digest.update(piece)
        first = first or piece
    connection.close()
    return answer.status, digest.hexdigest(), first


@contextmanager
def gateway(folder: Path, raw: RawApplication, storage: str) -> Iterator[Service]:
    config = CONFIG.format(data=folder / "data", upstream=raw.url, storage=storage)
    service = Service(folder, config, environment=KEYS).start()
    try:
        yield service
    finally:
        service.stop()


def one(service: Service, raw: RawApplication, count: int, announced: bool, expected: str) -> bool:
    """Hold one and release it, once paid for alone and once for one of five."""
    raw.answers[b"/large"] = serving(count, announced)  # type: ignore[assignment]
    person = f"one-{announced}"
    memory, begun = Memory(service), time.monotonic()
    status, _, told = fetch(service, "/large", person)
    assert status == 402, told
    held, took = memory.end(), time.monotonic() - begun
    hold = json.loads(told)
    pay(service, person, hold["checkout"][0]["address"])
    memory, begun = Memory(service), time.monotonic()
    status, digest, _ = fetch(service, hold["hold"]["release"], person)
    released, given = memory.end(), time.monotonic() - begun
    same = (status, digest) == (200, expected)
    print(
        f"  {count} MiB, {'announced' if announced else 'as it comes'}: held in {took:.1f} s with {held:+.1f} MiB, "
        f"released in {given:.1f} s with {released:+.1f} MiB, {'byte for byte' if same else 'ALTERED'}",
        flush=True,
    )
    return same and max(held, released) < FLAT_MIB


def many(service: Service, raw: RawApplication, count: int, at_once: int) -> None:
    """Hold many at one time."""
    raw.answers[b"/many"] = serving(count, True)  # type: ignore[assignment]
    memory, begun = Memory(service), time.monotonic()
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda who=number: statuses.append(fetch(service, "/many", f"many-{who}")[0]))
        for number in range(at_once)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [402] * at_once, statuses
    print(
        f"  {at_once} of {count} MiB at once: {time.monotonic() - begun:.1f} s with {memory.end():+.1f} MiB", flush=True
    )


def main() -> int:
    """Every storage, one after another."""
    parser = argparse.ArgumentParser(prog="python -m tests.large", description="Large held results, and memory.")
    parser.add_argument("--mebibytes", type=int, default=200, help="of one result (200)")
    parser.add_argument("--at-once", type=int, default=20, help="results of a tenth of that at one time (20)")
    asked = parser.parse_args()
    expected, good = digest_of(asked.mebibytes), True
    with tempfile.TemporaryDirectory() as root, server_of_buckets() as address:
        make_bucket(address, "holds")
        keys = "access_key_id: {env: HOLDS_KEY_ID}, secret_access_key: {env: HOLDS_KEY}"
        storages = {
            "directory": f"{{directory: {{path: {root}/holds}}}}",
            "s3": f"{{s3: {{bucket: holds, endpoint: '{address}', {keys}}}}}",
            "store": "store",
        }
        for name, storage in storages.items():
            folder = Path(root) / name
            folder.mkdir()
            raw = RawApplication()
            print(f"{name}:", flush=True)
            with gateway(folder, raw, storage) as service:
                fetch(service, "/blocked", "warm")
                good = all([one(service, raw, asked.mebibytes, each, expected) for each in (True, False)]) and good
                many(service, raw, max(asked.mebibytes // 10, 1), asked.at_once)
            raw.close()
    print("memory is flat, and every byte came back" if good else "NOT AS PROMISED")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
