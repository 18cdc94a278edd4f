"""What is shipped: the gateway and every plugin, typed and registered, and nothing else."""

from __future__ import annotations

import importlib.metadata
import os
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.conftest import tree_instead_of_wheel

from .tree import ROOT, plugin_folders, pyproject

DISTRIBUTION = "paywall-gateway"
PLUGIN_NAME = re.compile(r"gateway_[a-z]+_[a-z0-9_]+")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names in a wheel built from the tree as it is now."""
    built = next(iter(WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))))
    with zipfile.ZipFile(built) as archive:
        return frozenset(archive.namelist())


def strangers(names: Iterable[str]) -> list[str]:
    """Top-level names of a wheel that are neither the gateway nor a plugin nor the wheel's own records."""
    tops = {name.partition("/")[0] for name in names}
    return sorted(
        top for top in tops if top != "gateway" and not PLUGIN_NAME.fullmatch(top) and not top.endswith(".dist-info")
    )


def missing_from(names: frozenset[str], packages: Iterable[str]) -> list[str]:
    """Packages that a wheel does not hold, or holds without the mark that they are typed."""
    return [f"{package}/{name}" for package in packages for name in ("__init__.py", "py.typed")
            if f"{package}/{name}" not in names]  # fmt: skip


def registered() -> list[EntryPoint]:
    """The plugins as the description registers them, whatever is installed."""
    groups: dict[str, dict[str, str]] = pyproject()["project"]["entry-points"]
    return [EntryPoint(name, value, group) for group, its in groups.items() for name, value in its.items()]


def unregistered(packages: Iterable[str], entry_points: Iterable[EntryPoint]) -> list[str]:
    """Plugin packages that no entry point of their own kind and name leads to."""
    known = {(point.module, point.group, point.name) for point in entry_points}
    kinds = {"pay": "payment"}
    found = []
    for package in packages:
        kind, _, name = package.removeprefix("gateway_").partition("_")
        if (package, f"gateway.{kinds.get(kind, kind)}", name) not in known:
            found.append(f"{package}: no {name!r} among the entry points gateway.{kinds.get(kind, kind)}")
    return found


def test_nothing_else_is_at_the_top(wheel: frozenset[str]) -> None:
    assert not strangers(wheel)


def test_a_stranger_is_noticed() -> None:
    assert strangers(["gateway/a.py", "plugins/gateway_pay_x/a.py", "tests/a.py", "gateway_x/b.py"]) == [
        "gateway_x", "plugins", "tests",
    ]  # fmt: skip


def test_gateway_and_plugins_are_in_the_wheel_and_typed(wheel: frozenset[str]) -> None:
    assert not missing_from(wheel, ["gateway", *(folder.name for folder in plugin_folders())])


def test_a_missing_plugin_is_noticed() -> None:
    assert missing_from(frozenset({"gateway/__init__.py"}), ["gateway", "gateway_pay_x"]) == [
        "gateway/py.typed", "gateway_pay_x/__init__.py", "gateway_pay_x/py.typed",
    ]  # fmt: skip


def test_everything_beside_the_code_is_in_the_wheel(wheel: frozenset[str]) -> None:
    beside = (".lua", ".html", ".css", ".js", ".mjs", ".mts", ".svg", ".txt", ".yaml", ".json", ".jinja")
    gateway = {path.relative_to(ROOT).as_posix() for path in (ROOT / "gateway").rglob("*") if path.suffix in beside}
    assert gateway <= wheel


def test_every_plugin_is_registered() -> None:
    assert not unregistered((folder.name for folder in plugin_folders()), registered())


def test_an_unregistered_plugin_is_noticed() -> None:
    points = [EntryPoint("wise", "gateway_pay_wise:plugin", "gateway.payment")]
    assert not unregistered(["gateway_pay_wise"], points)
    assert unregistered(["gateway_pay_other"], points)
    assert unregistered(["gateway_identity_wise"], points)


@pytest.mark.parametrize("point", registered(), ids=lambda point: point.value)
def test_every_entry_point_leads_to_a_plugin(point: EntryPoint) -> None:
    assert point.load() is not None


def test_every_folder_in_plugins_is_named_like_a_plugin() -> None:
    assert not [folder.name for folder in plugin_folders() if not PLUGIN_NAME.fullmatch(folder.name)]
    assert not (ROOT / "plugins" / "__init__.py").exists(), "plugins/ is a folder, never a package"


@pytest.mark.skipif(os.environ.get("PAYWALL_TEST_WHEEL") != "1", reason="the tree is being tested, not the wheel")
def test_the_installed_wheel_is_the_tree(wheel: frozenset[str]) -> None:
    distribution = importlib.metadata.distribution(DISTRIBUTION)
    code = {name for name in wheel if ".dist-info/" not in name}
    stale = []
    for name in sorted(code):
        installed = Path(str(distribution.locate_file(name)))
        source = ROOT / name if name.startswith("gateway/") else ROOT / "plugins" / name
        if not installed.exists() or installed.read_bytes() != source.read_bytes():
            stale.append(name)
    assert not stale


def test_testing_the_tree_in_the_wheels_name_is_refused() -> None:
    tree, wheel = Path("/src/gateway/__init__.py"), Path("/v/lib/python3.11/site-packages/gateway/__init__.py")
    assert tree_instead_of_wheel(tree, {"PAYWALL_TEST_WHEEL": "1"})
    assert not tree_instead_of_wheel(wheel, {"PAYWALL_TEST_WHEEL": "1"})
    assert not tree_instead_of_wheel(tree, {})
