"""The memory benchmark can tell a proxy that streams from one that keeps what passes."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from bench.application import application
from bench.candidate import Candidate, Site, started
from bench.machine import split_cores
from bench.peers import PEERS
from bench.processes import Command, Unavailable, find_program
from bench.rounds import workshop
from bench.transfer import Passage, pass_bodies

NGINX = next(peer for peer in PEERS if peer.name == "nginx")
needs_nginx = pytest.mark.skipif(find_program("nginx") is None, reason="needs the Debian package nginx-light")

_HOARDER = """
import asyncio, sys
listen, upstream = int(sys.argv[1]), int(sys.argv[2])
async def hoard(reader, writer):
    kept = []
    while chunk := await reader.read(1 << 20):
        kept.append(chunk)
        writer.write(chunk)
async def connection(reader, writer):
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
    ways = [hoard(reader, up_writer), hoard(up_reader, writer)]
    await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
    writer.close(); up_writer.close()
async def main():
    async with await asyncio.start_server(connection, "127.0.0.1", listen) as server:
        await server.serve_forever()
asyncio.run(main())
"""


def _hoard(site: Site) -> Command:
    return Command((sys.executable, "-c", _HOARDER, str(site.port), str(site.upstream_port)))


HOARDER = Candidate("hoarder", "hoarder", sys.executable, "", (), _hoard, drop_privileges=False)


def passages(candidate: Candidate, size: int) -> list[Passage]:
    cores = split_cores()
    with (
        workshop() as folder,
        started(application(size), folder / "upstream", 0, cores.load) as upstream,
        started(candidate, folder / "proxy", upstream.target.port, cores.proxy) as running,
    ):
        return pass_bodies(running, size)


@pytest.mark.parametrize(
    ("candidate", "keeps"),
    [pytest.param(NGINX, False, marks=needs_nginx, id="nginx"), pytest.param(HOARDER, True, id="hoarder")],
)
def test_memory_tells_a_proxy_that_streams_from_one_that_hoards(candidate: Candidate, keeps: bool) -> None:
    size = 64 * 1024 * 1024
    for passage in passages(candidate, size):
        assert passage.transfer.trouble == ""
        assert passage.transfer.received == size
        assert (passage.growth > size // 2) == keeps


def test_a_candidate_that_is_missing_has_no_memory_to_measure() -> None:
    with pytest.raises(Unavailable, match="is not on this machine"):
        passages(replace(NGINX, program="no-such-proxy"), 1024)
