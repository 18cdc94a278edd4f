"""A result is one at every address that the application's framework gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .application import Application
from .conftest import CONFIG, Paywall
from .service import Service

NEXT = """\
frameworks: [nextjs]
routes:
  - {{path: "/_next/**", class: exempt, name: next-files}}
"""


@pytest.fixture(scope="module")
def service(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway before an application in Next.js, as far as the config knows."""
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.replace("routes:\n", NEXT)
    running = Service(folder, config.format(upstream=application.url, data=folder / "data")).start()
    yield running
    assert running.stop() == 0


ADDRESSES = ["/_next/data/b1/report.csv.json", "/report.csv.rsc", "/_next/data/b1/de/report.csv.json"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_data_of_a_result_is_withheld_and_passes_in_the_trial(service: Service, person: str, address: str) -> None:
    who = {"x-user-id": person}
    assert service.request("GET", address, who).status == 200
    assert service.entry(address)["route"] == "report"
    service.expire(person)
    withheld = service.request("GET", address, who)
    assert (withheld.status, withheld.header("paywall-reason")) == (402, "result-held")


def test_static_files_stay_exempt(service: Service, expired: str) -> None:
    assert service.request("GET", "/_next/static/a.js", {"x-user-id": expired}).status == 200
    assert service.entry("/_next/static/a.js")["route"] == "next-files"


def test_explain_names_the_page(paywall: Paywall, service: Service) -> None:
    told = paywall("explain", service.config, "GET", "/report.csv.rsc").output
    assert "the data of /report.csv, by a framework of the config" in told
    assert "the data of" not in paywall("explain", service.config, "GET", "/report.csv").output
