"""A new config takes the place of the old one as a whole, or not at all; and no way of changing the file is missed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.settings.live import LiveSettings, ReloadResult
from gateway.settings.load import Loaded, load_settings
from gateway.settings.problem import Problem, Severity
from gateway.settings.watch import watch

ONE = "upstream: http://one:3000\n"
TWO = "upstream: http://two:3000\n"
DEADLINE = 20


def live(file: Path, **more: object) -> LiveSettings:
    return LiveSettings(file, load_settings(file, environ={}), environ={}, **more)  # type: ignore[arg-type]


def test_reload(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(ONE)
    settings = live(file)
    first = settings.current
    assert settings.reload().result is ReloadResult.UNCHANGED
    assert settings.current is first

    file.write_text("upstream: nonsense\nlistn: 1\n")
    refused = settings.reload()
    assert refused.result is ReloadResult.REFUSED
    assert [problem.key for problem in refused.problems] == ["upstream", "listn"]
    assert settings.current is first

    file.write_text(TWO)
    accepted = settings.reload()
    assert accepted.result is ReloadResult.ACCEPTED
    assert all(problem.severity is Severity.WARNING for problem in accepted.problems)
    assert settings.current.settings.upstream.addresses[0].host == "two"
    assert first.settings.upstream.addresses[0].host == "one"

    file.unlink()
    assert settings.reload().result is ReloadResult.REFUSED
    assert settings.current.settings.upstream.addresses[0].host == "two"


def test_what_the_callers_check_refuses_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(ONE)

    def check(loaded: Loaded) -> list[Problem]:
        return (
            [Problem("paywall.yaml", "no such plugin")] if loaded.settings.upstream.addresses[0].host == "two" else []
        )

    settings = live(file, check=check)
    file.write_text(TWO)
    outcome = settings.reload()
    assert outcome.result is ReloadResult.REFUSED
    assert "no such plugin" in [problem.message for problem in outcome.problems]
    assert settings.current.settings.upstream.addresses[0].host == "one"


def test_a_config_that_could_not_be_put_in_force_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(ONE)
    settings = live(file)
    before = settings.current
    file.write_text(TWO)
    assert settings.reload().result is ReloadResult.ACCEPTED
    settings.restore(before)
    assert settings.current is before
    assert settings.reload().result is ReloadResult.ACCEPTED


class Watched:
    """A file that is being watched; `changed` waits for the next report of a change."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.reports: asyncio.Queue[bytes] = asyncio.Queue()

    async def report(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.reports.put_nowait(self.file.read_bytes())
            return
        self.reports.put_nowait(b"gone")

    async def until(self, content: str) -> None:
        """Wait until this content is reported. Reports of states in between are allowed."""
        async with asyncio.timeout(DEADLINE):
            while await self.reports.get() != content.encode():
                pass


@contextlib.asynccontextmanager
async def watching(file: Path, known: str | None = None) -> AsyncIterator[Watched]:
    """Watches the file; the watch must still be running at the end."""
    watched = Watched(file)
    task = asyncio.create_task(watch(file, watched.report, known))
    try:
        yield watched
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def write(file: Path, text: str) -> None:
    file.write_text(text)


def rename_over(file: Path, text: str) -> None:
    new = file.with_name("." + file.name + ".new")
    new.write_text(text)
    new.replace(file)


def remove_and_write(file: Path, text: str) -> None:
    file.unlink()
    file.write_text(text)


@pytest.mark.parametrize("change", [write, rename_over, remove_and_write])
async def test_a_change_is_noticed(tmp_path: Path, change: Callable[[Path, str], None]) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(ONE)
    async with watching(file, load_settings(file, environ={}).digest) as watched:
        change(file, TWO)
        await watched.until(TWO)
        change(file, ONE)
        await watched.until(ONE)


def mount(folder: Path, version: str, text: str) -> None:
    """What the kubelet does with a mounted ConfigMap: a new folder, then one rename of the link `..data`."""
    (folder / version).mkdir()
    (folder / version / "paywall.yaml").write_text(text)
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")
    if not (folder / "paywall.yaml").is_symlink():
        (folder / "paywall.yaml").symlink_to("..data/paywall.yaml")


async def test_a_swap_as_kubernetes_does_it_is_noticed_each_time(tmp_path: Path) -> None:
    mount(tmp_path, "..v1", ONE)
    file = tmp_path / "paywall.yaml"
    settings = live(file)
    async with watching(file, settings.current.digest) as watched:
        previous = "..v1"
        for number, text in enumerate((TWO, ONE, TWO), start=2):
            mount(tmp_path, f"..v{number}", text)
            shutil.rmtree(tmp_path / previous)
            previous = f"..v{number}"
            await watched.until(text)
            assert settings.reload().result is ReloadResult.ACCEPTED


async def test_a_linked_file_in_another_folder_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there/real.yaml", tmp_path / "here/paywall.yaml"
    target.write_text(ONE)
    link.symlink_to(target)
    async with watching(link, load_settings(link, environ={}).digest) as watched:
        target.write_text(TWO)
        await watched.until(TWO)


async def test_a_change_before_the_start_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(ONE)
    known = load_settings(file, environ={}).digest
    file.write_text(TWO)
    async with watching(file, known) as watched:
        await watched.until(TWO)


async def test_only_another_content_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    file.write_text(ONE)
    async with watching(file, load_settings(file, environ={}).digest) as watched:
        os.utime(file)
        (tmp_path / "neighbour").write_text("x")
        rename_over(file, ONE)
        rename_over(file, TWO)
        await watched.until(TWO)
        assert watched.reports.empty()


async def test_a_folder_that_goes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    file = folder / "paywall.yaml"
    file.write_text(ONE)
    async with watching(file, load_settings(file, environ={}).digest) as watched:
        shutil.rmtree(folder)
        await watched.until("gone")
        folder.mkdir()
        file.write_text(TWO)
        await watched.until(TWO)
