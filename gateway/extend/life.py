"""The life of providers: started in order, stopped in the opposite order, also after a start that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.ports.plugin import Provider

START_SECONDS = 30.0
STOP_SECONDS = 5.0


async def start_all(providers: Sequence[Provider], log: Callable[[str], None]) -> None:
    """Start every provider. When one fails, all that were begun are stopped, and its error is raised."""
    begun: list[Provider] = []
    try:
        for provider in providers:
            begun.append(provider)
            await _start(provider)
    except BaseException:
        await stop_all(begun, log)
        raise


async def _start(provider: Provider) -> None:
    deadline = asyncio.timeout(START_SECONDS)
    try:
        async with deadline:
            await provider.start()
    except TimeoutError as error:
        if not deadline.expired():
            raise
        name = type(provider).__module__
        raise TimeoutError(f"{name} did not start within {START_SECONDS:g} seconds: see what it waits for") from error


async def stop_all(providers: Sequence[Provider], log: Callable[[str], None]) -> None:
    """Stop every provider, the last started first. One that fails is logged and does not keep the others."""
    for provider in reversed(providers):
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await provider.stop()
        except Exception as error:  # a provider's fault must not keep the gateway from ending well
            log(f"{type(provider).__module__} did not stop well: {type(error).__name__}: {error}")
