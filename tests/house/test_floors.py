"""The contracts of import-linter name every plugin: one that is left out would be bound by none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .tree import plugin_folders, pyproject

_LINTER: dict[str, Any] = pyproject()["tool"]["importlinter"]


def contract(identifier: str) -> dict[str, Any]:
    """One contract by its id."""
    return next(its for its in _LINTER["contracts"] if its["id"] == identifier)


def lists_of_plugins() -> dict[str, set[str]]:
    """The three places where the contracts list plugins, and whom they name."""
    strangers = contract("plugins-are-strangers")["layers"][0]
    return {
        "root_packages": set(_LINTER["root_packages"]) - {"gateway"},
        "plugins-see-core-and-ports": set(contract("plugins-see-core-and-ports")["source_modules"]),
        "plugins-are-strangers": set(re.findall(r"\w+", strangers)),
    }


def left_out(plugins: Iterable[str], lists: dict[str, set[str]]) -> list[str]:
    """Plugins that one of the lists does not name, and names that are no plugin's."""
    known = set(plugins)
    return [f"{place}: {name}" for place, named in lists.items() for name in sorted(named ^ known)]


def rooms_open_to_plugins(forbidden: Iterable[str], rooms: Iterable[str]) -> set[str]:
    """Rooms that plugins may look into though only core and ports are meant for them."""
    return {f"gateway.{room}" for room in rooms} - {"gateway.core", "gateway.ports"} - set(forbidden)


def rooms() -> set[str]:
    """The rooms as the floors list them, optional ones apart: they are none yet."""
    return {room for layer in contract("floors")["layers"] for room in re.findall(r"(?<!\()\b\w+\b(?!\))", layer)}


def test_the_contracts_name_every_plugin() -> None:
    assert not left_out((folder.name for folder in plugin_folders()), lists_of_plugins())


def test_a_plugin_left_out_is_noticed() -> None:
    assert left_out(["gateway_pay_a", "gateway_pay_b"], {"here": {"gateway_pay_a", "gateway_pay_c"}}) == [
        "here: gateway_pay_b", "here: gateway_pay_c",
    ]  # fmt: skip


def test_every_room_but_core_and_ports_is_closed_to_plugins() -> None:
    assert not rooms_open_to_plugins(contract("plugins-see-core-and-ports")["forbidden_modules"], rooms())


def test_an_open_room_is_noticed() -> None:
    assert rooms_open_to_plugins(["gateway.web"], ["core", "ports", "web", "store"]) == {"gateway.store"}


def test_the_kit_for_tests_sees_what_plugins_see() -> None:
    closed = contract("testing-sees-core-and-ports")["forbidden_modules"]
    assert not rooms_open_to_plugins(closed, rooms() - {"testing"})
    assert rooms_open_to_plugins(closed, {"testing", "attic"}) == {"gateway.testing", "gateway.attic"}
