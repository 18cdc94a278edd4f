"""An answer of the application whose body is changed on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gateway.core.header import Headers
from gateway.html.coding import BadCoding, GzipPage
from gateway.html.page import Page
from gateway.ports.upstream import Answer, UpstreamError, UpstreamFailure


class ChangedPage:
    """The port `Answer`, of a page. It is read no faster than it is asked for, and never held whole."""

    def __init__(self, answer: Answer, page: Page | GzipPage, headers: Headers) -> None:
        self.status, self.headers = answer.status, headers
        self.length: int | None = None
        self._answer, self._page = answer, page
        self._steps: Iterator[bytes] = iter(())
        self._under_way = False
        """Whether a step was made of the newest piece already."""
        self._complete = False

    async def read(self) -> bytes:
        """See the port."""
        while True:
            if self._under_way:  # what was compressed may be a thousand times as long: others have their turn
                await asyncio.sleep(0)
            step = self._next_step()
            self._under_way = step is not None
            if step:
                return step
            if step is None:
                if self._complete:
                    return b""
                data = await self._answer.read()
                self._complete = not data
                self._steps = self._page.take(data) if data else self._page.end()

    def abort(self) -> None:
        """See the port."""
        self._answer.abort()

    def _next_step(self) -> bytes | None:
        try:
            return next(self._steps, None)
        except BadCoding as error:
            raise UpstreamError(UpstreamFailure.MALFORMED, f"what it calls gzip is none: {error}") from error
