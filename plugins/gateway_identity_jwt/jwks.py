"""The issuer's published keys, kept fresh without ever letting a known key wait for the network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from gateway.core.quantity import HOUR, MINUTE, SECOND
from gateway.ports.plugin import Host
from gateway_identity_jwt.keys import KeySet, VerificationKey, read_key_set

REFRESH_MS = 5 * MINUTE
"""Age at which the keys are fetched again, in the background: how long a withdrawn key goes on to verify."""
STALE_MS = 24 * HOUR
"""How long the last keys are used while the issuer can't be reached."""
COOL_DOWN_MS = 30 * SECOND
"""Least time between two fetches, whatever tokens ask for."""
EMPTY_COOL_DOWN_MS = 2 * SECOND
"""The same while there is no key at all, so that a late issuer costs seconds and not half a minute."""
FETCH_TIMEOUT_S = 5
SIZE_LIMIT = 256 * 1024
_LOOK_EVERY_S = 15


class KeysUnavailable(Exception):
    """Whether the token is good can't be told at the moment."""


class PublishedKeys:
    """Keys behind an address. At most one fetch is under way, and everyone who needs it waits for that one."""

    def __init__(self, address: str, algorithms: Sequence[str], host: Host, changed: Callable[[], None]) -> None:
        self._address, self._algorithms, self._host, self._changed = address, algorithms, host, changed
        parts = urlsplit(address)
        self._place = f"{parts.scheme}://{parts.netloc}{parts.path}"  # a query may hold a secret
        self._keys: KeySet | None = None
        self._fetched_ms = 0
        self._tried_ms: int | None = None
        self._failed = False
        self._complaints: frozenset[str] = frozenset()
        self._fetch: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin the first fetch; an issuer that is down does not keep the gateway down."""
        self._begin_fetch()
        self._timer = asyncio.create_task(self._look_now_and_then())

    async def stop(self) -> None:
        """End the fetch that is under way, if any."""
        tasks = [task for task in (self._timer, self._fetch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key for a token that names `key_id`; None when the issuer publishes no such key.

        Waits for the network only when the key is unknown. Raises `KeysUnavailable` when that could not be asked.
        """
        keys = self._usable()
        if keys is not None and keys.knows(key_id):
            self.refresh_when_due()
            return keys.find(key_id, algorithm)
        self._begin_fetch()
        if self._fetch is not None:
            # Not awaited itself: a client that leaves must not cancel the fetch for the others.
            await asyncio.wait({self._fetch})
        keys = self._usable()
        if keys is None or (self._failed and not keys.knows(key_id)):
            raise KeysUnavailable
        return keys.find(key_id, algorithm)

    def refresh_when_due(self) -> None:
        """Begin a fetch in the background when the keys have reached their age."""
        if not 0 <= self._host.now() - self._fetched_ms < REFRESH_MS:
            self._begin_fetch()

    def _usable(self) -> KeySet | None:
        return self._keys if self._host.now() - self._fetched_ms < STALE_MS else None

    def _begin_fetch(self) -> None:
        """One fetch at a time, and none before the cool-down is over (a clock set back ends it)."""
        if self._fetch is not None and not self._fetch.done():
            return
        now = self._host.now()
        pause = EMPTY_COOL_DOWN_MS if self._usable() is None else COOL_DOWN_MS
        if self._tried_ms is not None and 0 <= now - self._tried_ms < pause:
            return
        self._tried_ms = now
        self._fetch = asyncio.create_task(self._refresh())

    async def _look_now_and_then(self) -> None:
        """Keeps the keys fresh on a quiet night too."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.refresh_when_due()

    async def _refresh(self) -> None:
        complaints: list[str] = []
        try:
            keys = read_key_set(await download(self._address), self._algorithms, complaints.append)
        except Exception as error:  # whatever goes wrong with a fetch, the keys in hand stay
            complaints.append(f"they can't be fetched: {str(error) or type(error).__name__}")
            self._failed = True
        else:
            self._failed = False
            self._fetched_ms = self._host.now()
            if self._keys is None or keys.text != self._keys.text:
                self._keys = keys
                self._changed()
        self._tell(frozenset(complaints))

    def _tell(self, complaints: frozenset[str]) -> None:
        """Say what is new, once: a failing issuer is asked again every half a minute."""
        for complaint in sorted(complaints - self._complaints):
            self._host.log(f"keys of {self._place}: {complaint}")
        if self._complaints and not complaints:
            self._host.log(f"keys of {self._place}: all is well again")
        self._complaints = complaints


async def download(address: str) -> bytes:
    """The body at an address. Raises `ValueError` or the client's own errors; follows no redirect, keeps no cookie."""
    import aiohttp  # a quarter of a second to import, and most configs have no issuer to ask

    session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"accept": "application/jwk-set+json, application/json"},
    )
    async with session, session.get(address, allow_redirects=False) as response:
        if 300 <= response.status < 400:
            raise ValueError("the address redirects, and that is not followed: give the final address")
        if response.status != 200:
            raise ValueError(f"the answer has status {response.status}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(16 * 1024):
            body += chunk
            if len(body) > SIZE_LIMIT:
                raise ValueError(f"the answer is larger than {SIZE_LIMIT // 1024} KiB")
        return bytes(body)
