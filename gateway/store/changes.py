"""Hears from the store which subjects have changed, in whatever process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.store.keys import CHANGED_CHANNEL

SILENCE_SECONDS = 1.0
"""After this long without a word the store is asked for one."""
ANSWER_SECONDS = 1.0
RETRY_SECONDS = 0.25


class Hearer(Protocol):
    """Who is told."""

    def changed(self, key: str) -> None:
        """This subject changed."""
        ...

    def hears(self, hears: bool) -> None:
        """Whether changes are heard of from now on; some may have gone unheard before."""
        ...


class Changes:
    """Listens on a connection of its own while started; `connect` makes one, which need not lead to the same server."""

    def __init__(self, connect: Callable[[], Redis], hearer: Hearer) -> None:
        self._connect, self._hearer = connect, hearer
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._waits = False
        """Whether it may be interrupted: redis-py leaves a connection open that it was interrupted in opening."""

    async def start(self) -> None:
        """Begin to listen; does not wait for the store."""
        self._stopping = False
        self._task = asyncio.create_task(self._listen(), name="changes")

    async def stop(self) -> None:
        """Listen no longer. Never raises."""
        self._stopping = True
        if self._task is not None:
            if self._waits:
                self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _listen(self) -> None:
        while not self._stopping:
            client = self._connect()
            try:
                async with client.pubsub() as news:
                    await news.subscribe(CHANGED_CHANNEL)
                    await self._hear(news)
            except Exception:  # noqa: S110 - whatever it is, nothing is remembered without news, and it is asked again
                pass
            finally:
                self._waits = False
                self._hearer.hears(False)
                with contextlib.suppress(RedisError, OSError):
                    await client.aclose(close_connection_pool=True)
            if not self._stopping:
                self._waits = True
                await asyncio.sleep(RETRY_SECONDS)
                self._waits = False

    async def _hear(self, news: Any) -> None:
        asked = False
        while not self._stopping:
            self._waits = True
            seconds = ANSWER_SECONDS if asked else SILENCE_SECONDS
            message = await news.get_message(ignore_subscribe_messages=False, timeout=seconds)
            if message is None:
                if asked:
                    raise TimeoutError
                await news.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "subscribe":
                self._hearer.hears(True)
            elif message["type"] == "message":
                self._hearer.changed(message["data"].decode("ascii", "replace"))
