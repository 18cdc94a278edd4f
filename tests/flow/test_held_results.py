"""What is kept of a result and what is not, who may look at it, and whose it is: seen with exact bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import CONFIG
from .raw import RawApplication, answer
from .service import Reply, Service, pay, running

BODY = b"name,amount\nann,1\n"
KEPT = [
    (b"content-type", b"text/csv"),
    (b"content-disposition", b'attachment; filename="may.csv"'),
    (b"etag", b'"7"'),
    (b"x-made-by", b"the application"),
    (b"x-twice", b"1"),
    (b"x-twice", b"2"),
]
WORDS = [b"Paywall-Result: yes", b"Paywall-Reason: no-such-reason", b"Paywall-Step: x", b"Paywall-Context: x"]
COOKIES = [b"Set-Cookie: session=new; Path=/", b"set-cookie: other=1"]


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway in front of exact bytes."""
    raw.answers[b"/report.csv"] = answer(*(name + b": " + value for name, value in KEPT), *WORDS, *COOKIES, body=BODY)
    raw.answers[b"/blocked/x"] = answer()
    folder = tmp_path_factory.mktemp("gateway")
    with running(folder, CONFIG.format(upstream=raw.url, data=folder)) as service:
        yield service


def held(service: Service, person: str, path: str = "/report.csv", **headers: str) -> Any:
    reply = service.request("GET", path, {**headers, "x-user-id": person})
    assert (reply.status, reply.reason) == (402, "result-held")
    return reply.json()


def give(service: Service, person: str, plan: int) -> None:
    """Have a person pay for one of the plans, for nothing in particular."""
    told = service.request("POST", "/blocked/x", {"x-user-id": person}).json()
    assert pay(service, person, told["checkout"][plan]["address"]).status == 303


def names(reply: Reply) -> set[str]:
    return {name.lower() for name, _ in reply.headers}


def test_words_for_the_gateway_and_cookies_are_not_kept(service: Service, expired: str) -> None:
    told = held(service, expired)
    pay(service, expired, told["checkout"][0]["address"])
    for _ in range(2):
        released = service.request("GET", told["hold"]["release"], {"x-user-id": expired})
        assert (released.status, released.body) == (200, BODY)
        assert not {name for name in names(released) if name.startswith("paywall-")}
        assert "set-cookie" not in names(released)
        kept = [(name.encode(), value.encode()) for name, value in released.headers]
        assert [pair for pair in kept if pair in KEPT] == KEPT


def test_who_has_a_right_gets_the_cookies_at_once(service: Service, person: str) -> None:
    reply = service.request("GET", "/report.csv", {"x-user-id": person})
    assert reply.body == BODY
    assert [value for name, value in reply.headers if name == "set-cookie"] == ["session=new; Path=/", "other=1"]
    assert not {name for name in names(reply) if name.startswith("paywall-")}


class TestALook:
    """HEAD says what GET would say, and changes nothing."""

    def test_before_payment(self, service: Service, expired: str) -> None:
        told = held(service, expired)
        reply = service.request("HEAD", told["hold"]["release"], {"x-user-id": expired})
        assert (reply.status, reply.reason, reply.body) == (402, "hold-unpaid", b"")
        other = service.request("HEAD", told["hold"]["release"], {"x-user-id": "somebody-curious"})
        assert (other.status, other.reason) == (403, "hold-of-another")
        assert service.request("HEAD", "/_paywall/hold/nonsense", {"x-user-id": expired}).status == 404

    @pytest.mark.parametrize(("plan", "left"), [(1, 4), (2, 0)], ids=["five results", "a month"])
    def test_when_it_is_theirs_by_a_plan(self, service: Service, expired: str, plan: int, left: int) -> None:
        told = held(service, expired)
        give(service, expired, plan)
        self.is_what_get_says(service, expired, told["hold"]["release"])
        assert service.me(expired)["results_paid_for"] == left

    def test_when_it_is_paid(self, service: Service, expired: str) -> None:
        told = held(service, expired)
        pay(service, expired, told["checkout"][0]["address"])
        self.is_what_get_says(service, expired, told["hold"]["release"])

    def test_when_it_was_given_out_in_a_trial(self, service: Service, expired: str) -> None:
        told = held(service, expired)
        service.command("subject", "extend", f"person:{expired}", "7d")
        self.is_what_get_says(service, expired, told["hold"]["release"])
        service.expire(expired)
        self.is_what_get_says(service, expired, told["hold"]["release"])

    def is_what_get_says(self, service: Service, person: str, release: str) -> None:
        headers, before = {"x-user-id": person}, service.me(person)
        for address in (release, f"{release}?download"):
            look = service.request("HEAD", address, headers)
            assert service.me(person) == before, "it is no delivery"
            taken = service.request("GET", address, headers)
            assert (look.status, look.headers, look.body) == (200, taken.headers, b"")
            assert taken.body == BODY and look.header("content-length") == str(len(BODY))
            before = service.me(person)


STRANGE = [
    (b"text/csv", b"attachment; filename*=idna''a"),
    (b"text/csv", b"attachment; filename*0*=utf-8''a; filename*=b"),
    (b"text/csv", b"attachment; filename*" + b"9" * 5000 + b"=x"),
    (b"text/csv; x*0=a; x*=b", b"attachment"),
    (b"text/csv; charset*" + b"9" * 5000 + b"=x", b"attachment"),
    (b"text/csv; charset*=idna''a", b"attachment"),
]


@pytest.mark.parametrize(("media_type", "disposition"), STRANGE, ids=range(len(STRANGE)))
def test_names_that_nobody_means_seriously_are_no_hindrance(
    service: Service, raw: RawApplication, expired: str, media_type: bytes, disposition: bytes
) -> None:
    raw.answers[b"/reports/strange"] = answer(
        b"content-type: " + media_type, b"content-disposition: " + disposition, body=BODY
    )
    told = held(service, expired, "/reports/strange")
    assert (told["hold"]["media_type"], told["hold"]["size"]) == ("text/csv", len(BODY))
    pay(service, expired, told["checkout"][0]["address"])
    released = service.request("GET", told["hold"]["release"], {"x-user-id": expired})
    assert released.body == BODY and released.header("content-type") == media_type.decode()


class TestTheSameRequestAgain:
    """Shows what is held already, unless the application may answer it otherwise."""

    @pytest.mark.parametrize("header", ["accept", "accept-language", "authorization", "cookie"])
    def test_with_another_header_is_another_request(
        self, service: Service, raw: RawApplication, expired: str, header: str
    ) -> None:
        first = held(service, expired, "/report.csv?again", **{header: "a=1"})
        made = len(raw.heads)
        assert held(service, expired, "/report.csv?again", **{header: "a=1"})["hold"]["id"] == first["hold"]["id"]
        assert len(raw.heads) == made
        assert held(service, expired, "/report.csv?again", **{header: "a=2"})["hold"]["id"] != first["hold"]["id"]
        assert len(raw.heads) == made + 1
