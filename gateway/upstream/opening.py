"""Open a socket to the application, with TLS where there is any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gateway.ports.upstream import UpstreamError, UpstreamFailure
from gateway.upstream.address import UpstreamAddress

P = TypeVar("P", bound=asyncio.Protocol)


async def open_connection(address: UpstreamAddress, seconds: float, build: Callable[[], P]) -> P:
    """A connected protocol of this making. Raises UpstreamError: TIMEOUT after so many seconds, UNREACHABLE."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            if address.unix_path is not None:
                _, protocol = await loop.create_unix_connection(build, address.unix_path)
            else:
                _, protocol = await loop.create_connection(
                    build, address.host, address.port,
                    ssl=address.tls, server_hostname=address.host if address.tls else None,
                )  # fmt: skip
    except TimeoutError as error:
        detail = f"no connection to {address} within {seconds:g} s"
        raise UpstreamError(UpstreamFailure.TIMEOUT, detail, unsent=True) from error
    except OSError as error:
        detail = f"no connection to {address}: {error}; is the application running there?"
        raise UpstreamError(UpstreamFailure.UNREACHABLE, detail, unsent=True) from error
    return protocol
