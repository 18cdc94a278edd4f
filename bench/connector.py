"""The command `python -m bench.connector`: CPU of one small GET, our connector beside aiohttp's ClientSession."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import uvloop
from yarl import URL

from bench.machine import split_cores
from bench.peers import NGINX_UPSTREAM
from bench.processes import Unavailable, find_program, free_ports, running
from bench.candidate import BODY, Site
from gateway.upstream.address import parse_address
from gateway.upstream.connector import UpstreamConnector

_CONCURRENCY = 32
_HEADERS = [
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"cookie", b"session=0123456789abcdef0123456789abcdef"),
    (b"x-forwarded-for", b"203.0.113.7"),
]

Get = Callable[[], Awaitable[int]]
