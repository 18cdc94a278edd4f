"""What else is wrong with a config, as those rooms know it that will be put to work by it."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.settings.load import Loaded
from gateway.settings.problem import Problem
from gateway.store.transport.place import Place
from gateway.wiring.plugins import check_plugins


def check_rooms(loaded: Loaded) -> tuple[Problem, ...]:
    """Problems with the store's address and with the plugins' parts. Nothing is connected."""
    return (*_check_store(loaded), *check_plugins(loaded))


def _check_store(loaded: Loaded) -> Iterator[Problem]:
    address = str(loaded.settings.store)
    if address == "embedded":
        return
    try:
        Place.read(address)
    except ValueError as error:
        yield loaded.document.problem(("store",), str(error))
