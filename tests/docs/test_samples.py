"""The samples of configs load, those of other programs are accepted by them, and links stay in the house."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from bench.readme import BEGIN, END
from gateway.settings.load import load_settings
from gateway.wiring.plugins import check_plugins

from .page import DOCS, PAGES, ROOT, Block, blocks, prose, read

CONFIGS = [
    (page, block) for page in PAGES for block in blocks(page.read_text("utf-8"))
    if block.language == "yaml" and "config" in block.marks
]  # fmt: skip
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def test_there_are_configs_in_the_readme_and_in_the_documentation() -> None:
    assert {page.name for page, _ in CONFIGS} >= {"README.md", "trying-it.md"}


@pytest.mark.parametrize(("page", "block"), CONFIGS, ids=lambda given: getattr(given, "name", None))
def test_a_config_loads(page: Path, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"\{env: (\w+)\}", block.text):
        monkeypatch.setenv(name, "given in the environment, as it says")
    file = tmp_path / "paywall.yaml"
    file.write_text(block.text, "utf-8")
    loaded = load_settings(file, environ={})
    assert not check_plugins(loaded)


def links_to_the_outer_world(text: str) -> list[str]:
    """Links that leave the project, other than to an RFC."""
    found = re.findall(r"\]\(\s*<?([a-z][a-z0-9+.-]*:[^)>\s]*)", prose(text))
    return [link for link in found if not link.startswith("https://www.rfc-editor.org/rfc/")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_stay_in_the_project(page: Path) -> None:
    assert not links_to_the_outer_world(page.read_text("utf-8"))


def test_a_link_to_the_outer_world_is_noticed() -> None:
    text = "[a](https://www.rfc-editor.org/rfc/rfc9457) [b](b.md) [c](https://example.com/)"
    assert links_to_the_outer_world(text) == ["https://example.com/"]


def test_the_index_has_every_page() -> None:
    linked = set(re.findall(r"\]\(([a-z/-]+\.md)", read("README.md")))
    assert linked == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"README.md"}


def test_the_readme_is_short() -> None:
    """But for the table of measurements, which has a row for everything that is promised."""
    before, _, rest = (ROOT / "README.md").read_text("utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    assert found and len((before + after).splitlines()) < 80


def sample(language: str) -> str:
    """The one sample of this language in docs/operations.md."""
    (found,) = (block.text for block in blocks(read("operations.md")) if block.language == language)
    return found


def nginx_problems(text: str, folder: Path) -> list[str]:
    """What nginx has against a piece of its config."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    inner = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(f"pid {folder}/pid;\nevents {{}}\nhttp {{ access_log off;\n{places}{inner}\n}}\n")
    command = [NGINX, "-t", "-e", "stderr", "-c", str(config), "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return [] if done.returncode == 0 else done.stderr.splitlines()


@pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine")
def test_nginx_takes_its_sample(tmp_path: Path) -> None:
    assert not nginx_problems(sample("nginx"), tmp_path)
    assert nginx_problems(sample("nginx").replace("proxy_read_timeout", "proxy_reads"), tmp_path)


def systemd_problems(text: str, folder: Path) -> list[str]:
    """What systemd has against a unit."""
    unit = folder / "paywall.service"
    unit.write_text(text.replace("/opt/paywall/bin/paywall", "/bin/true").replace("User=paywall\n", ""))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return [line for line in done.stderr.splitlines() if "paywall.service" in line]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_takes_its_sample(tmp_path: Path) -> None:
    assert not systemd_problems(sample("ini"), tmp_path)
    assert systemd_problems(sample("ini").replace("KillMode=mixed", "KillMode=gently"), tmp_path)
