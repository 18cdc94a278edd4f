"""An application whose script answers for every address below it, as those of PHP, CGI and ASP do."""

from __future__ import annotations

import pytest

from .application import CSV, Application
from .service import NAVIGATION, Service

BELOW = ["/export.php/x.css", "/export.php/x/y", "/export.php./x.css", "/EXPORT.PHP/x.css"]


@pytest.mark.parametrize("path", BELOW)
def test_what_is_below_a_script_is_no_way_around_its_route(
    service: Service, application: Application, expired: str, path: str
) -> None:
    before = application.executed.copy()
    for headers in ({"x-user-id": expired}, {"x-user-id": expired, **NAVIGATION}):
        reply = service.request("GET", path, headers)
        assert (reply.status, reply.reason, CSV in reply.body) == (402, "target-ambiguous", False)
    assert application.executed == before
    assert service.entry(path)["route"] == "script"


def test_whoever_has_a_right_reaches_it_as_it_is(service: Service, application: Application, person: str) -> None:
    reply = service.request("GET", "/export.php/x.css", {"x-user-id": person})
    assert (reply.status, reply.body, reply.reason) == (200, CSV, "")
    assert "private" in reply.header("cache-control")
    assert application.executed["/export.php/x.css"] == 1


@pytest.mark.parametrize("path", ["/reports/7/comments", "/report.csv/comments", "/other.php/x", "/pages/x.css"])
def test_other_addresses_stay_open(service: Service, expired: str, path: str) -> None:
    reply = service.request("GET", path, {"x-user-id": expired})
    assert (reply.status, reply.reason) == (200, "")
