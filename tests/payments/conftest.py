"""A real store for what is paid."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.store.connection import Store
from tests.store.conftest import embedded_url, emptied, patient, subject

__all__ = ["embedded_url", "store", "subject"]


@pytest.fixture
async def store(embedded_url: str) -> AsyncIterator[Store]:
    """The embedded store, with time to answer on a busy machine."""
    async with emptied(patient(embedded_url)) as opened:
        yield opened
