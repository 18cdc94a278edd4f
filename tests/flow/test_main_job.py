"""Trial, expiry, withheld result, payment, release: the main job, as a program sees it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from .application import CSV, Application
from .service import FORM, NAVIGATION, Reply, Service, pay, wait_until


def as_person(person: str) -> dict[str, str]:
    return {"x-user-id": person}


def hold_of(reply: Reply) -> dict[str, Any]:
    held: dict[str, Any] = reply.json()["hold"]
    return held


def test_on_trial_everything_passes(service: Service, person: str) -> None:
    reply = service.request("GET", "/report.csv", as_person(person))
    assert (reply.status, reply.body, reply.reason) == (200, CSV, "")
    assert service.me(person)["standing"] == "trial"
    assert service.entry("/report.csv", reason="trial")["decision"] == "forward"


def test_after_the_trial_browsing_stays_open(service: Service, expired: str) -> None:
    reply = service.request("GET", "/any/page", as_person(expired))
    assert (reply.status, reply.reason) == (200, "")


def test_a_result_is_made_once_kept_and_released_the_same(
    service: Service, application: Application, expired: str
) -> None:
    direct = service.request("GET", "/report.csv", as_person("somebody-on-trial"))
    before = application.executed["/report.csv"]
    held = service.request("GET", "/report.csv", as_person(expired))
    assert held.status == 402 and held.reason == "result-held"
    assert held.header("cache-control") == "private, no-store"
    assert held.header("content-type") == "application/problem+json"
    assert 'rel="payment"' in held.header("link")
    assert "x-user-id" in held.header("vary")
    assert CSV not in held.body
    hold = hold_of(held)
    assert (hold["media_type"], hold["size"], hold["status"]) == ("text/csv", len(CSV), 200)

    assert service.request("GET", hold["release"], as_person(expired)).status == 402
    paid = pay(service, expired, held.json()["checkout"][0]["address"])
    assert paid.status == 303

    for _ in range(2):  # taking it twice is no second result
        released = service.request("GET", hold["release"], as_person(expired))
        assert (released.status, released.body, released.reason) == (200, CSV, "")
        for name in ("content-type", "content-disposition", "etag", "x-made-by"):
            assert released.header(name) == direct.header(name)
    assert application.executed["/report.csv"] == before + 1


def test_every_own_answer_that_depends_on_who_asks_says_so(service: Service, expired: str) -> None:
    held = service.request("GET", "/reports/private", as_person(expired))
    hold, checkout = hold_of(held), held.json()["checkout"][0]["address"]
    decline, unknown = held.json()["decline"], "/_paywall/hold/" + "x" * 32
    pages = [
        ("GET", held.json()["offer"], 200), ("GET", "/_paywall/me", 200), ("GET", hold["release"], 402),
        ("HEAD", hold["release"], 402), ("GET", unknown, 404), ("POST", checkout, 303), ("POST", decline, 422),
    ]  # fmt: skip
    _each_depends_on_the_person(service, expired, pages)
    asked = service.request("POST", decline, {**as_person(expired), **FORM}, b"reason=other")
    assert asked.status == 204 and "x-user-id" in asked.header("vary")
    paid = urlsplit(pay(service, expired, checkout).header("location"))
    pages = [
        ("GET", f"{paid.path}?{paid.query}", 200), ("POST", checkout, 303),
        ("GET", hold["release"], 200), ("HEAD", hold["release"], 200),
    ]  # fmt: skip
    _each_depends_on_the_person(service, expired, pages)


def _each_depends_on_the_person(service: Service, person: str, pages: list[tuple[str, str, int]]) -> None:
    for method, address, status in pages:
        for headers in (as_person(person), {**as_person(person), **NAVIGATION}):
            reply = service.request(method, address, headers)
            assert reply.status == status, (method, address)
            assert "x-user-id" in reply.header("vary"), (method, address)
            assert reply.header("cache-control").startswith("private"), (method, address)


def test_the_same_request_again_shows_the_same_hold(service: Service, application: Application, expired: str) -> None:
    first = service.request("GET", "/report.csv", as_person(expired))
    before = application.executed["/report.csv"]
    second = service.request("GET", "/report.csv", as_person(expired))
    assert hold_of(first)["id"] == hold_of(second)["id"]
    assert application.executed["/report.csv"] == before


def test_a_blocked_route_has_no_effect_before_payment(service: Service, application: Application, expired: str) -> None:
    reply = service.request("POST", "/blocked/send", as_person(expired), b"{}")
    assert (reply.status, reply.reason) == (402, "payment-required")
    assert "hold" not in reply.json()
    assert application.executed["/blocked/send"] == 0

    pay(service, expired, reply.json()["checkout"][0]["address"])
    assert service.me(expired)["results_paid_for"] == 1
    assert service.request("POST", "/blocked/send", as_person(expired), b"{}").status == 200
    assert service.request("POST", "/blocked/send", as_person(expired), b"{}").status == 402
    assert application.executed["/blocked/send"] == 1


def test_a_preview_shows_a_part_and_keeps_nothing(service: Service, expired: str) -> None:
    reply = service.request("GET", "/preview/report", as_person(expired))
    assert (reply.status, reply.reason) == (402, "result-previewed")
    assert "release" not in reply.json()["hold"]
    assert service.me(expired)["holds"] == []


def test_a_plan_opens_every_result_on_the_next_request(service: Service, expired: str) -> None:
    prompt = service.request("POST", "/blocked/send", as_person(expired))
    month = next(each for each in prompt.json()["checkout"] if each["plan"] == "month")
    pay(service, expired, month["address"])
    for path in ("/report.csv", "/blocked/a", "/preview/b"):
        assert service.request("GET", path, as_person(expired)).status == 200
    assert service.me(expired)["standing"] == "entitled"


def test_grace_is_counted_and_then_over(service: Service, expired: str) -> None:
    statuses = [service.request("GET", "/grace/report", as_person(expired)).status for _ in range(4)]
    assert statuses == [200, 200, 402, 402]


def test_grace_is_not_spent_on_failures(service: Service, expired: str) -> None:
    for path in ("/fails", "/missing", "/not-a-result"):
        for _ in range(3):
            assert service.request("GET", path, as_person(expired)).reason == ""


def test_whoever_says_not_now_gets_no_results_made(service: Service, application: Application, expired: str) -> None:
    prompt = service.request("GET", "/grace/report", as_person(expired))
    assert prompt.status == 200
    declined = service.request(
        "POST", "/_paywall/decline?route=report", {**as_person(expired), **FORM}, b"reason=not-now&note=later"
    )
    assert declined.status == 204
    before = application.executed["/report.csv"]
    reply = service.request("GET", "/report.csv", as_person(expired))
    assert (reply.status, reply.reason, reply.json()["standing"]) == (402, "declined", "declined")
    assert service.request("GET", "/grace/report", as_person(expired)).reason == "declined"
    assert application.executed["/report.csv"] == before
    assert service.request("GET", "/any/page", as_person(expired)).status == 200

    pay(service, expired, reply.json()["checkout"][2]["address"])
    assert service.request("GET", "/report.csv", as_person(expired)).status == 200


def test_a_browser_gets_a_page_and_a_program_a_problem(service: Service, expired: str) -> None:
    page = service.request("GET", "/report.csv", {**as_person(expired), **NAVIGATION})
    assert page.status == 402 and page.header("content-type") == "text/html; charset=utf-8"
    assert b"report.csv" in page.body and b"3.00 USD" in page.body
    assert "default-src 'none'" in page.header("content-security-policy")
    script = service.request("GET", "/report.csv", {**as_person(expired), "sec-fetch-mode": "cors"})
    assert script.header("content-type") == "application/problem+json"


def test_an_action_after_expiry_passes_with_the_offer_beside_it(service: Service, expired: str, person: str) -> None:
    reply = service.request("POST", "/projects", as_person(expired), b"{}")
    assert (reply.status, reply.reason) == (200, "")
    assert 'rel="payment"' in reply.header("link")
    on_trial = service.request("POST", "/projects", as_person("somebody-else-on-trial"), b"{}")
    assert on_trial.header("link") == ""


def test_an_answer_that_turns_out_a_result_is_kept(service: Service, expired: str) -> None:
    reply = service.request("GET", "/docs/page", as_person(expired))
    assert (reply.status, reply.reason) == (200, "")
    declared = service.request("GET", "/declared", as_person(expired))
    assert (declared.status, declared.reason) == (402, "result-held")
    assert declared.json()["hold"]["size"] == len(b"declared")
    on_trial = service.request("GET", "/declared", as_person("yet-another-on-trial"))
    assert (on_trial.body, on_trial.header("paywall-result")) == (b"declared", "")


def test_everything_leaves_its_event(service: Service, expired: str) -> None:
    held = service.request("GET", "/reports/of-events", as_person(expired))
    pay(service, expired, held.json()["checkout"][0]["address"])
    service.request("GET", hold_of(held)["release"], as_person(expired))
    subject = service.entry("/reports/of-events", reason="result-held")["subject"]
    expected = [
        "result-held", "offer-shown", "request-decided", "checkout-opened", "payment-settled", "result-released",
        "result-delivered",
    ]  # fmt: skip

    def names() -> list[str]:
        events = map(json.loads, service.command("events").splitlines())
        return [event["name"] for event in events if event.get("subject") == subject and event["name"] in expected]

    wait_until(lambda: names() == expected, f"the events {expected}")
