"""`paywall doctor` asks the facilitator what it settles."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.flow.application import Application
from tests.flow.service import COMMAND

from .conftest import CONFIG, SELLER
from .facilitator import FacilitatorServer


def found(folder: Path, application: Application, address: str, network: str = "eip155:84532") -> Any:
    """What it finds of the facilitator."""
    config = CONFIG.format(upstream=application.url, data=folder, facilitator=address, seller=SELLER)
    file = folder / "paywall.yaml"
    file.write_text(config.replace("eip155:84532", network))
    done = subprocess.run([*COMMAND, "doctor", str(file), "--json"], cwd=folder, text=True, capture_output=True)
    [finding] = [each for each in json.loads(done.stdout) if each["place"] == "x402.facilitator"]
    return finding


@pytest.mark.parametrize(("network", "gravity"), [("eip155:84532", "good"), ("eip155:8453", "fault")])
def test_what_the_facilitator_settles_is_looked_at(
    tmp_path: Path, application: Application, facilitator: FacilitatorServer, network: str, gravity: str
) -> None:
    finding = found(tmp_path, application, facilitator.url, network)
    assert finding["gravity"] == gravity, finding
    assert network in finding["text"]


def test_a_facilitator_that_is_away_is_told(tmp_path: Path, application: Application) -> None:
    finding = found(tmp_path, application, "http://127.0.0.1:9/x")
    assert finding["gravity"] == "warning" and "can't be reached" in finding["text"]


def test_a_facilitator_that_says_nothing_useful_is_told(
    tmp_path: Path, application: Application, facilitator: FacilitatorServer
) -> None:
    facilitator.instead["supported"] = lambda: (200, {"kinds": "all"})
    assert found(tmp_path, application, facilitator.url)["gravity"] == "warning"
