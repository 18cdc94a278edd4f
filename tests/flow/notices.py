"""A gateway that puts notices into pages, before an application of exact bytes."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gateway.cli.store_access import with_store
from gateway.core.quantity import DAY
from gateway.core.subject import Subject, SubjectKind
from gateway.settings.load import load_settings
from tests.free_port import free_port

from .conftest import CONFIG
from .raw import RawApplication, Script, answer
from .service import Reply, Service, running

NOTICE = re.compile(rb'<div class="paywall-notice".*?</div>', re.DOTALL)
NAVIGATION = {
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
    "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
}
HTML = b"content-type: text/html; charset=utf-8"
PAGE = b"<!doctype html><title>t</title><body><p>the page</p></body></html>\n"
_paths = itertools.count()


class Noticing:
    """The gateway and the application."""

    def __init__(self, service: Service, raw: RawApplication, admin: Service) -> None:
        self.service, self.raw, self._admin = service, raw, admin

    def serve(self, made: bytes | Script) -> str:
        """A path of its own at which the application answers so."""
        path = f"/page-{next(_paths)}"
        self.raw.answers[path.encode()] = made
        return path

    def page(self, *headers: bytes, body: bytes = PAGE) -> str:
        """A path at which the application has a page."""
        return self.serve(answer(HTML, *headers, body=body))

    def visit(self, path: str, person: str, headers: Mapping[str, str] = NAVIGATION, method: str = "GET") -> Reply:
        """A person's browser asks for it."""
        return self.service.request(method, path, {**headers, "x-user-id": person} if person else headers)

    def asked(self, path: str) -> dict[bytes, bytes]:
        """The headers with which the application was last asked for it."""
        lines = self.raw.head_of(path.encode()).split(b"\r\n")[1:-2]
        return {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}

    def expire(self, person: str) -> str:
        """Somebody whose trial is over."""
        self.service.expire(person)
        return person

    def entitle(self, person: str) -> str:
        """Somebody whose trial is over and who has paid for a day."""
        self.service.expire(person)
        subject = Subject(SubjectKind.PERSON, person)
        settings = load_settings(self.service.config).settings
        with_store(settings, lambda store: store.operations.grant(subject, person, DAY, 0))
        return person

    def decline(self, person: str) -> str:
        """Somebody whose trial is over and who said "not now"."""
        self.service.expire(person)
        reply = self.service.request("POST", "/_paywall/decline?reason=not-now", {"x-user-id": person})
        assert reply.status == 204
        return person

    def short_ways(self) -> int:
        """How many requests went the short way so far."""
        page = self._admin.request("GET", "/metrics").body.decode()
        return int(float(re.findall(r"^paywall_short_way_requests_total (\S+)", page, re.MULTILINE)[0]))

    def store_calls(self) -> int:
        """How often the store was asked for something about anybody so far."""
        return self.service.store_calls()


PATIENT = "from gateway.web.patience import Patience\nPatience.__init__.__defaults__ = (20.0, 1.0)"
"""A page goes without its notice rather than wait a twentieth of a second for it. What comes of that has its own tests
(`test_patience`); here every page that is to have one has it, on a busy machine, too."""


@contextlib.contextmanager
def noticing(folder: Path, raw: RawApplication, show: str, route: str = "", offer: str = "{}") -> Iterator[Noticing]:
    """A gateway that shows notices, while the block lasts."""
    port = free_port()
    config = CONFIG.format(upstream=raw.url, data=folder / "data").replace("routes:\n", f"routes:\n{route}")
    config += f"offer: {offer}\nnotice: {{show: {show}}}\nadmin: {{listen: 127.0.0.1:{port}}}\n"
    with running(folder, config, beforehand=PATIENT) as service:
        admin = Service.__new__(Service)
        admin.port = port
        yield Noticing(service, raw, admin)


def split(reply: Reply) -> tuple[bytes, bytes]:
    """The notice of a page, and the page without it."""
    found = NOTICE.findall(reply.body)
    assert len(found) <= 1
    return (found[0] if found else b""), NOTICE.sub(b"", reply.body)


def in_pieces(head: bytes, pieces: Iterable[bytes]) -> Script:
    """An answer whose body is sent chunked, a chunk for each piece."""
    framed = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        for chunk in framed:
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")

    return script
