"""What results cost programs: as it is written, and where nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from x402.mechanisms.evm.default_assets import DEFAULT_ASSETS

from gateway.settings.agent_checks import lightning_prices, token_prices
from gateway.settings.load import load_settings
from gateway.settings.tokens import KNOWN, read_amount

CONFIG = """
upstream: http://localhost:3000
plans:
  - {{id: pack, name: Pack, price: 2.00 {currency}, gives: 5 results}}
  - {{id: one, name: One, price: 3.00 {currency}, gives: 1 result}}
  - {{id: cheap, name: Cheap, price: 2.50 {currency}, gives: 1 result}}
x402:
  facilitator: https://facilitator.example
  pay_to: "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
  network: eip155:8453
  {more}
routes:
  - {{path: "/plain", class: result, name: plain}}
  - {{path: "/own", class: result, name: own, price: 4.50 {currency}}}
  - {{path: "/named", class: result, name: named}}
  - {{path: "/**", class: open, name: rest}}
"""


def prices(folder: Path, more: str = "", currency: str = "USD") -> dict[str, int]:
    file = folder / "paywall.yaml"
    file.write_text(CONFIG.format(more=more, currency=currency))
    settings = load_settings(file, environ={}).settings
    assert settings.x402 is not None
    return token_prices(settings, settings.x402)


@pytest.mark.parametrize(
    ("text", "atomic"), [("0.05", 50_000), ("1", 1_000_000), ("0.000001", 1), (" 12.5 ", 12_500_000)]
)
def test_an_amount_is_read_to_the_last_unit(text: str, atomic: int) -> None:
    assert read_amount(text) == atomic


@pytest.mark.parametrize("text", ["", "0", "0.0", "-1", "1e-6", "0.0000001", ".5", "1.", "1 USDC", "1,5", "١"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"0\.05|zero"):
        read_amount(text)


def test_without_a_price_it_costs_what_it_costs_in_the_currency(tmp_path: Path) -> None:
    found = prices(tmp_path)
    assert found == {"plain": 2_500_000, "own": 4_500_000, "named": 2_500_000, "declared-result": 2_500_000}


def test_what_is_written_wins(tmp_path: Path) -> None:
    found = prices(tmp_path, "price: 0.5\n  prices: {named: 0.01}")
    assert found == {"plain": 500_000, "own": 500_000, "named": 10_000, "declared-result": 500_000}


def test_a_currency_that_the_token_does_not_stand_for_says_nothing(tmp_path: Path) -> None:
    assert prices(tmp_path, currency="EUR") == {}


def test_satoshi_are_asked_for_what_has_a_price(tmp_path: Path) -> None:
    file = tmp_path / "paywall.yaml"
    lightning = "lightning: {lnd: http://localhost:8080, macaroon: {env: M}, prices: {named: 5}}\nroutes:"
    file.write_text(CONFIG.format(more="", currency="USD").replace("routes:", lightning))
    assert lightning_prices(load_settings(file, environ={"M": "00"}).settings) == {"named": 5}


@pytest.mark.parametrize(("symbol", "network"), KNOWN)
def test_known_tokens_are_those_of_the_reference(symbol: str, network: str) -> None:
    theirs = next(asset for asset in DEFAULT_ASSETS[network] if asset["symbol"] == symbol)
    ours = KNOWN[symbol, network]
    assert (ours.address, ours.name, ours.version) == (theirs["asset"], theirs["name"], theirs["version"])
    assert theirs["decimals"] == 6
