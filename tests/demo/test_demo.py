"""The demo as somebody with curl meets it."""

from __future__ import annotations

import http.client
import json
import sqlite3

from tests.flow.service import FORM, NAVIGATION, Service

TABLE = "/flights/flights"
EXPORT = "/flights/flights.csv?_size=max"


def become(demo: Service, persona: str) -> dict[str, str]:
    """Switch by the strip's link; the headers to go on with."""
    reply = demo.request("GET", f"/_demo/{persona}")
    assert (reply.status, reply.header("location")) == (303, TABLE)
    return {"cookie": reply.header("set-cookie").partition(";")[0]}


def test_all_flights_are_there(demo: Service) -> None:
    database = sqlite3.connect(demo.folder / "data" / "flights.db")
    try:
        assert database.execute("select count(*), sum(distance) from flights").fetchone() == (336_776, 350_217_607)
    finally:
        database.close()


def test_it_says_where_to_look(demo: Service) -> None:
    said = "".join(demo.messages)
    for persona in ("trial", "expired", "refusing", "paying"):
        assert f"{demo.address}/_demo/{persona}" in said


def test_the_strip_is_on_pages_only_and_nothing_else_changes(demo: Service) -> None:
    visitor = become(demo, "expired")
    page = demo.request("GET", TABLE, visitor)
    assert page.status == 200 and b"336,776 rows" in page.body and page.body.count(b'class="paywall-strip"') == 1
    offer = demo.request("GET", EXPORT, {**visitor, **NAVIGATION})
    assert offer.status == 402 and offer.body.count(b'class="paywall-strip"') == 1
    style = demo.request("GET", "/-/static/app.css", visitor)
    assert style.status == 200 and b"paywall-strip" not in style.body


def test_the_export_is_offered_and_paid_for_byte_for_byte(demo: Service) -> None:
    exact = demo.request("GET", EXPORT, become(demo, "paying"))
    assert exact.status == 200 and exact.body.count(b"\r\n") == 1001

    visitor = become(demo, "expired")
    held = demo.request("GET", EXPORT, visitor)
    assert (held.status, held.reason) == (402, "result-held")
    assert held.json()["hold"]["teaser"]["facts"]["Rows"] == "1,000"
    begun = demo.request("POST", held.json()["checkout"][0]["address"], visitor)
    paid = demo.request("POST", begun.header("location"), {**visitor, **FORM}, b"choice=pay")
    assert paid.status == 303
    released = demo.request("GET", held.json()["hold"]["release"], visitor)
    assert (released.status, released.body) == (200, exact.body)
    assert released.header("content-type") == exact.header("content-type")


def test_each_persona_sees_what_the_strip_promises(demo: Service) -> None:
    assert demo.request("GET", EXPORT, become(demo, "trial")).status == 200
    assert demo.request("GET", EXPORT, become(demo, "refusing")).reason == "declined"
    for persona in ("trial", "expired", "refusing", "paying"):
        assert demo.request("GET", "/flights?sql=select+1", become(demo, persona)).status == 200
    assert demo.request("GET", "/_demo/hacker").status == 404


def test_json_and_odd_forms_of_the_export_are_results_too(demo: Service) -> None:
    visitor = become(demo, "expired")
    for path in ("/flights/flights.json", "/flights.json?sql=select+1", "/flights.csv?sql=select+1"):
        assert demo.request("GET", path, visitor).status == 402, path
    for path in ("/flights/flights.CSV", "/flights/%66lights.csv", "/flights//flights.csv", "/flights/flights.csv/"):
        reply = demo.request("GET", path, visitor)
        assert reply.status in (308, 402) and b"UA,1545" not in reply.body, path


def test_a_visitor_without_a_cookie_is_on_trial_and_gets_one(demo: Service) -> None:
    reply = demo.request("GET", TABLE)
    assert "paywall_demo=trial-" in reply.header("set-cookie")


def test_the_strip_is_never_part_of_the_gateway(demo: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=20)
    connection.request("GET", "/_paywall/me", headers={**become(demo, "paying"), "x-demo-person": "trial-aaaaaaaa"})
    mine = json.loads(connection.getresponse().read())
    connection.close()
    assert mine["standing"] == "entitled", "the header from outside must not count"
