"""Plugins are found by entry point, and each that can't be used is named with the reason."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

import pytest

from gateway.core.keyring import Keyring
from gateway.extend import catalogue
from gateway.extend.catalogue import KINDS, PluginError, PluginHost, installed, load, settings_models

MODULE = """
from gateway.ports.fields import Settings
from gateway.ports.plugin import Plugin


class Shouting(Settings):
    loud: bool = True


plugin = Plugin(summary="For a test.", settings=Shouting, create=lambda settings, host: None)
older = Plugin(summary="For a test.", settings=Shouting, create=lambda settings, host: None, api_version=0)
something_else = {"summary": "not a plugin"}
"""
ENTRY_POINTS = """
[gateway.identity]
good = stranger_good:plugin
older = stranger_good:older
not-a-plugin = stranger_good:something_else
not-there = stranger_good:nothing
no-module = stranger_missing:plugin
raising = stranger_raising:plugin
[gateway.payment]
good = stranger_good:plugin
"""


@pytest.fixture(autouse=True)
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution that is installed for the length of a test."""
    (tmp_path / "stranger_good.py").write_text(MODULE)
    (tmp_path / "stranger_raising.py").write_text("raise RuntimeError('a licence key is needed')")
    metadata = tmp_path / "strangers-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("stranger_good", "stranger_raising"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_good_plugin_of_somebody_else_is_loaded() -> None:
    plugin = load("identity", "good")
    assert plugin.summary == "For a test."
    assert plugin.settings.model_validate({"loud": False}).model_dump() == {"loud": False}


def test_looking_what_is_installed_imports_nothing() -> None:
    assert {"good", "raising", "no-module", "jwt", "visitor"} <= set(installed("identity"))
    assert not {"stranger_good", "stranger_raising"} & set(sys.modules)


def test_what_is_installed_while_the_gateway_runs_is_found_and_looked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(group: str) -> EntryPoints:
        looked.append(group)
        return entry_points(group=group)

    monkeypatch.setattr(catalogue, "entry_points", look)
    for _ in range(3):
        assert "later" not in installed("identity")
    metadata = tmp_path / "later-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: later\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[gateway.identity]\nlater = stranger_good:plugin\n")
    os.utime(tmp_path, (1, 1))  # two changes within one tick of the file system's clock look like one
    for _ in range(3):
        assert "later" in installed("identity")
    assert len(looked) <= 2


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("raising", "the identity plugin 'raising' can't be imported: RuntimeError: a licence key is needed"),
        ("no-module", "the identity plugin 'no-module' can't be imported: ModuleNotFoundError: "),
        ("not-there", "the identity plugin 'not-there' can't be imported: AttributeError: "),
        ("not-a-plugin", "the identity plugin 'not-a-plugin' does not offer a gateway.ports.plugin.Plugin"),
        ("older", "the identity plugin 'older' is made for plugin API 0, this gateway has 1"),
        ("unknown", "there is no identity plugin named 'unknown'; installed are: api_key, good, header, "),
        ("sandbox", "there is no identity plugin named 'sandbox'; installed are: "),
        ("", "there is no identity plugin named ''; installed are: "),
    ],
)
def test_a_plugin_that_can_not_be_used_is_named_with_the_reason(name: str, complaint: str) -> None:
    with pytest.raises(PluginError) as refused:
        load("identity", name)
    assert str(refused.value).startswith(complaint)


def test_of_a_kind_without_plugins_none_are_installed() -> None:
    with pytest.raises(PluginError, match=r"no nothing plugin named 'x'; installed are: none"):
        load("nothing", "x")


def test_the_settings_of_all_plugins_are_those_of_each() -> None:
    assert set(settings_models("payment")) == set(installed("payment")) >= {"good", "sandbox"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugins_of_this_project_come_through_the_same_door(kind: str) -> None:
    names = [name for name, point in installed(kind).items() if point.value.startswith("gateway_")]
    assert names
    assert all(load(kind, name).summary for name in names)


class TestHost:
    keyring = Keyring(b"s" * 16)

    def host(self, name: str, lines: list[str] | None = None) -> PluginHost:
        return PluginHost(
            "payment", name, self.keyring, "/_paywall", lambda: 7, (lines if lines is not None else []).append
        )

    def test_gives_each_plugin_keys_of_its_own(self) -> None:
        keys = {self.host(name).key(purpose) for name in ("jwt", "visitor") for purpose in ("cookie", "state")}
        assert len(keys) == 4
        assert not keys & {self.keyring.key("cookie"), self.keyring.key("state")}
        assert self.host("jwt").key("cookie") == self.host("jwt").key("cookie")

    def test_says_which_plugin_speaks(self) -> None:
        lines: list[str] = []
        host = self.host("jwt", lines)
        host.log("the keys are old")
        assert lines == ["jwt: the keys are old"]
        assert (host.now(), host.prefix) == (7, "/_paywall")
