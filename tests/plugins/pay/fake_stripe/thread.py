"""A fake Stripe in a thread of its own, beside a real gateway in a process of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.plugins.pay.fake_stripe.objects import Json
from tests.plugins.pay.fake_stripe.server import FakeStripe

T = TypeVar("T")


class StripeThread:
    """What tests do to it."""

    def __init__(self, fake: FakeStripe, loop: asyncio.AbstractEventLoop) -> None:
        self.fake, self._loop = fake, loop

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something in its thread."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(20)

    def sends(self, change: Callable[[], Any] = lambda: None) -> list[int]:
        """Change something, and send what there is to tell of it; how the gateway answered."""

        async def do() -> list[int]:
            change()
            return await self.fake.send()

        return self.run(do())

    def newest(self, kind: str) -> Json:
        """The newest object of a kind."""
        return self.fake.account.of_kind(kind)[0]


@contextmanager
def stripe_thread(fake: FakeStripe) -> Iterator[StripeThread]:
    """Serve until the end of the context."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running = StripeThread(fake, loop)
    serving = fake.serving()
    running.run(serving.__aenter__())
    try:
        yield running
    finally:
        running.run(serving.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
