"""The examples of docs/plugins.md: they pass a strict type check, are found by their entry points, and work."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .page import blocks, codes, read
from .terminal import Terminal

BLOCKS = blocks(read("plugins.md"))
EXAMPLES = {block.mark("file"): block.text for block in BLOCKS if block.language == "python"}
SESSION_SECRET, TRANSFER_SECRET = b"the application's own", b"the bank's own"
TITLES = [f"SUMMARY:Meeting {number}" for number in range(30)]
CALENDAR = "\n".join(
    ["BEGIN:VCALENDAR", *(line for title in TITLES for line in ("BEGIN:VEVENT", title, "END:VEVENT")), "END:VCALENDAR"]
).encode()


class Application(BaseHTTPRequestHandler):
    """Gives everybody a calendar."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/calendar")
        self.send_header("content-length", str(len(CALENDAR)))
        self.end_headers()
        self.wfile.write(CALENDAR)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def application() -> Iterator[int]:
    """The application's port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples, as installing them would leave it."""
    folder = tmp_path_factory.mktemp("examples")
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text, "utf-8")
    (pyproject,) = (tomllib.loads(block.text) for block in BLOCKS if "pyproject" in block.marks)
    project = pyproject["project"]
    installed = folder / f"paywall_examples-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {place}" for name, place in points.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def gateway(
    examples: Path, application: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Terminal]]:
    """A gateway with the examples: its port, and a terminal beside it."""
    folder = tmp_path_factory.mktemp("gateway")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    (named,) = (block.text for block in BLOCKS if block.language == "yaml")
    (folder / "paywall.yaml").write_text(
        f"{named}\nlisten: 127.0.0.1:{port}\nupstream: http://127.0.0.1:{application}\n"
        "plans: [{id: single, name: This result, price: 3.00 USD, gives: 1 result}]\n"
        "routes: [{path: '/**', class: result, name: everything}]\n"
    )
    terminal = Terminal(
        folder,
        {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(examples),
            "SESSION_SECRET": SESSION_SECRET.decode(),
            "TRANSFER_SECRET": TRANSFER_SECRET.decode(),
        },
    )
    try:
        terminal.serve("paywall run --config paywall.yaml", ["…", "paywall: ready", "…"])
        yield port, terminal
    finally:
        terminal.close()


def ask(port: int, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def cookie(user: str) -> str:
    return f"session={user}.{hmac.digest(SESSION_SECRET, user.encode(), hashlib.sha256).hex()}"


def report(port: int, purpose: str, secret: bytes = TRANSFER_SECRET) -> tuple[int, bytes]:
    body = json.dumps({"transfer": f"transfer for {purpose}", "purpose": purpose, "amount": "3.00 USD"}).encode()
    signature = hmac.digest(secret, body, hashlib.sha256).hex()
    status, _, said = ask(port, "POST", "/_paywall/provider/transfer/arrived", body, x_signature=signature)
    return status, said


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == {
        "example_session.py", "example_transfer.py", "example_calendar.py", "test_example_transfer.py",
    }  # fmt: skip


def test_the_examples_pass_a_strict_type_check(examples: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", *EXAMPLES]
    done = subprocess.run(command, cwd=examples, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_are_linted_like_everything_else(examples: Path) -> None:
    rules = ["--select=E,F,W,I,UP,B,SIM,RUF,ASYNC,S,PTH,T20,D1", "--ignore=D105,D107"]
    style = ["--isolated", "--line-length=120", '--config=lint.isort.known-first-party=["gateway"]', *rules]
    command = [sys.executable, "-m", "ruff", "check", *style, *EXAMPLES]
    done = subprocess.run(command, cwd=examples, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def contract_of_the_example(folder: Path, old: str = "", new: str = "") -> str:
    """What pytest says of the example's contract suite, with this replaced in the examples."""
    folder.mkdir()
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text.replace(old, new) if old else text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    done = subprocess.run(
        [*command, "test_example_transfer.py"], cwd=folder, capture_output=True, text=True, timeout=110
    )
    return done.stdout + done.stderr


def test_the_example_passes_its_contract_and_one_that_breaks_it_does_not(tmp_path: Path) -> None:
    assert re.search(r"^[1-9]\d passed in ", contract_of_the_example(tmp_path / "good"), re.MULTILINE)
    check = "if not hmac.compare_digest(given"
    assert check in EXAMPLES["example_transfer.py"]
    bad = contract_of_the_example(tmp_path / "bad", check, "if not given and hmac.compare_digest(given")
    assert "TestTransfer.test_a_stranger_is_not_believed" in bad and "AssertionError: a guessed secret" in bad


def test_the_examples_are_found(gateway: tuple[int, Terminal]) -> None:
    _, terminal = gateway
    found = {tuple(line.split()[:2]) for line in terminal.type("paywall plugins")}
    assert found >= {("identity", "session"), ("payment", "transfer"), ("teaser", "calendar")}


def test_identity_knows_whom_the_application_has_signed_and_nobody_else(gateway: tuple[int, Terminal]) -> None:
    port, _ = gateway
    assert ask(port, "GET", "/a.ics", cookie=cookie("ann"))[2] == CALENDAR
    status, headers, body = ask(port, "GET", "/a.ics", cookie="session=ann.0000")
    assert (status, headers["paywall-reason"]) == (401, "identity-required")
    assert b"The proof of identity that came along is not signed by the application." in body
    assert ask(port, "GET", "/a.ics")[0] == 401
    standing = json.loads(ask(port, "GET", "/_paywall/me", cookie=cookie("ann"))[2])
    assert standing["subject"] == "person:ann"
    (told,) = (part for part in read("http.md").split("\n\n") if part.startswith("`me` has"))
    assert set(codes(told)) == {"me", *standing}


def test_the_teaser_is_shown_and_the_transfer_releases_the_result(gateway: tuple[int, Terminal]) -> None:
    port, terminal = gateway
    terminal.type("paywall subject expire person:bob --config paywall.yaml")
    status, _, body = ask(port, "GET", "/b.ics", cookie=cookie("bob"))
    offer = json.loads(body)
    assert status == 402
    assert offer["hold"]["teaser"] == {"facts": {"Events": "30"}, "lines": ["Meeting 0", "Meeting 1"]}

    address = offer["checkout"][0]["address"]
    status, headers, _ = ask(port, "POST", address, cookie=cookie("bob"))
    assert status == 303
    page = ask(port, "GET", headers["location"], cookie=cookie("bob"))[2].decode()
    purpose = parse_qs(urlsplit(headers["location"]).query)["reference"][0]
    assert purpose in page
    assert "3.00 USD" in page

    assert report(port, purpose, b"somebody else's")[0] == 400
    assert ask(port, "GET", offer["hold"]["release"], cookie=cookie("bob"))[0] == 402
    assert report(port, purpose) == (200, b"settled")
    assert report(port, purpose) == (200, b"replayed")
    assert ask(port, "GET", offer["hold"]["release"], cookie=cookie("bob"))[2] == CALENDAR


def test_a_page_that_was_not_made_here_is_refused(gateway: tuple[int, Terminal]) -> None:
    port, _ = gateway
    forged = "/_paywall/provider/transfer/how?reference=x&amount=1&back=http://elsewhere/&tag=00"
    assert ask(port, "GET", forged)[0] == 400


def test_a_secret_that_is_missing_is_named_and_the_gateway_does_not_start(gateway: tuple[int, Terminal]) -> None:
    _, terminal = gateway
    said = terminal.type(
        "(mkdir another && cd another && ! SESSION_SECRET= paywall run --config ../paywall.yaml --listen 127.0.0.1:0)"
    )
    assert any("the gateway can't start: the environment variable SESSION_SECRET is not set" in line for line in said)
