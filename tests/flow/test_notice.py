"""The notice in the application's pages: who finds it where, and that everything else stays as it is."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.html.samples import cut, cuts, pages

from .notices import HTML, NAVIGATION, PAGE, Noticing, in_pieces, noticing, split
from .raw import RawApplication, answer
from .service import DEADLINE, pay, read_head, visible, wait_until

GZIP = {**NAVIGATION, "accept-encoding": "gzip, deflate, br, zstd"}


@pytest.fixture(scope="module")
def always(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noticing]:
    """Shows notices to everybody in the trial and after it."""
    with noticing(tmp_path_factory.mktemp("always"), raw, "always") as running:
        yield running


@pytest.fixture(scope="module")
def after_trial(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noticing]:
    """Shows notices to those whose trial is over."""
    with noticing(tmp_path_factory.mktemp("after"), raw, "after-trial") as running:
        yield running


# Who finds what


def test_in_the_trial_a_page_says_what_will_come(always: Noticing, person: str) -> None:
    always.service.request("GET", "/_paywall/me", {"x-user-id": person})
    reply = always.visit(always.page(), person)
    notice, page = split(reply)
    assert page == PAGE
    assert reply.body.index(notice) == PAGE.index(b"</body>")
    said = " ".join(re.sub(rb"<[^>]*>", b"", notice).decode().split())
    assert said == (
        "Your trial ends in 14 days. Then browsing stays open, and results beyond the free ones need a plan. "
        "See the offer"
    )
    ends = always.service.me(person)["trial_ends"]
    assert f'<time datetime="{ends}">in 14 days</time>'.encode() in notice
    assert b'<a href="/_paywall/offer" target="_self">' in notice


def test_after_the_trial_a_page_says_what_is_so(always: Noticing, after_trial: Noticing, person: str) -> None:
    for running in (always, after_trial):
        notice, page = split(running.visit(running.page(), running.expire(person)))
        assert page == PAGE
        assert b"Your trial is over: browsing stays open, results beyond the free ones need a plan. <a" in notice


def test_where_the_notice_leads_to_the_offer_is(after_trial: Noticing, person: str) -> None:
    notice, _ = split(after_trial.visit(after_trial.page(), after_trial.expire(person)))
    (address,) = re.findall(rb'<a href="([^"]*)"', notice)
    offer = after_trial.visit(address.decode(), person)
    assert (offer.status, offer.reason) == (200, "payment-required")
    assert "Results need a plan now" in visible(offer)


@pytest.mark.parametrize("who", ["trial", "entitled", "declined", "nobody", "new visitor"])
def test_others_find_the_page_as_it_is(after_trial: Noticing, person: str, who: str) -> None:
    make: dict[str, Callable[[str], object]] = {"entitled": after_trial.entitle, "declined": after_trial.decline}
    make.get(who, str)(person)
    headers = {**GZIP, "if-none-match": '"0"', **({"cookie": "theme=dark"} if who == "new visitor" else {})}
    path = after_trial.page(b'etag: "1"', b"last-modified: Mon, 01 Jan 2024 00:00:00 GMT", b"cache-control: max-age=9")
    for _ in range(2):
        reply = after_trial.visit(path, "" if who in ("nobody", "new visitor") else person, headers)
        assert (reply.status, reply.body) == (200, PAGE)
        kept = {name.lower(): value for name, value in reply.headers if name.lower() not in ("set-cookie", "date")}
        assert kept == {
            "content-type": "text/html; charset=utf-8", "etag": '"1"', "cache-control": "max-age=9",
            "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT", "content-length": str(len(PAGE)),
        }  # fmt: skip
        asked = after_trial.asked(path)
        assert (asked[b"if-none-match"], asked[b"accept-encoding"]) == (b'"0"', b"gzip, deflate, br, zstd")


def test_with_the_payment_the_notice_goes(after_trial: Noticing, person: str) -> None:
    path = after_trial.page()
    after_trial.expire(person)
    assert split(after_trial.visit(path, person))[0]
    prompt = after_trial.service.request("POST", "/blocked/x", {"x-user-id": person}).json()
    month = next(each["address"] for each in prompt["checkout"] if each["plan"] == "month")
    assert pay(after_trial.service, person, month).status == 303
    assert after_trial.visit(path, person).body == PAGE


def test_a_visitor_with_a_cookie_of_ours_is_told(always: Noticing) -> None:
    path = always.page()
    first = always.visit(path, "", {**NAVIGATION, "cookie": "theme=dark"})
    assert first.body == PAGE, "nobody knows yet whether the cookie will come back"
    cookie = first.header("set-cookie").partition(";")[0]
    again = always.visit(path, "", {**NAVIGATION, "cookie": cookie})
    assert b"Your trial ends" in split(again)[0]
    assert again.header("set-cookie") == ""


# The long way and the short one


@pytest.mark.parametrize("who", ["trial", "entitled", "declined"])
def test_whoever_has_nothing_to_be_told_goes_the_short_way(after_trial: Noticing, person: str, who: str) -> None:
    make: dict[str, Callable[[str], object]] = {"entitled": after_trial.entitle, "declined": after_trial.decline}
    make.get(who, str)(person)
    path = after_trial.page()
    after_trial.visit(path, person)
    after_trial.service.entry(path)
    before, calls = after_trial.short_ways(), after_trial.store_calls()
    for _ in range(5):
        assert after_trial.visit(path, person).body == PAGE
    wait_until(lambda: after_trial.short_ways() - before == 5, "all go the short way")
    assert after_trial.store_calls() == calls


def test_what_is_no_page_goes_the_short_way(after_trial: Noticing, person: str) -> None:
    path = after_trial.page()
    after_trial.visit(path, after_trial.expire(person))
    after_trial.service.entry(path)
    before, calls = after_trial.short_ways(), after_trial.store_calls()
    for destination in ("script", "style", "image", "empty"):
        headers = {"sec-fetch-dest": destination, "sec-fetch-mode": "no-cors", "accept": "*/*"}
        assert after_trial.visit(path, person, headers).body == PAGE
    wait_until(lambda: after_trial.short_ways() - before == 4, "all go the short way")
    assert after_trial.store_calls() == calls


def test_a_page_with_a_notice_costs_one_question_to_the_store(after_trial: Noticing, person: str) -> None:
    path = after_trial.page()
    after_trial.visit(path, after_trial.expire(person))
    calls = after_trial.store_calls()
    for asked in range(1, 4):
        assert split(after_trial.visit(path, person))[0]
        assert after_trial.store_calls() == calls + asked


def test_what_people_read_is_not_told_to_the_log(after_trial: Noticing, person: str) -> None:
    path = after_trial.page()
    assert split(after_trial.visit(path, after_trial.expire(person)))[0]
    entry = after_trial.service.entry(path)
    assert (entry["decision"], entry["reason"], entry["subject"]) == ("forward", "open", "")


def test_a_first_visit_begins_the_trial_and_its_notice(always: Noticing, person: str) -> None:
    assert b"in 14 days" in split(always.visit(always.page(), person))[0]
    assert always.service.me(person)["standing"] == "trial"


def test_without_the_store_pages_pass_without_a_notice(raw: RawApplication, tmp_path: Path, person: str) -> None:
    with noticing(tmp_path, raw, "after-trial") as running:
        running.expire(person)
        path = running.page()
        assert split(running.visit(path, person))[0]
        (store,) = running.service.children()
        os.kill(store, signal.SIGSTOP)
        try:
            assert running.visit(path, person).body == PAGE
            assert "store" in running.service.entry(path, bytes=len(PAGE))["detail"]
        finally:
            os.kill(store, signal.SIGCONT)
        wait_until(lambda: split(running.visit(path, person))[0], "the notice is back")


# Which requests

REQUESTS: dict[str, dict[str, str]] = {
    "a script asks": {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"},
    "a script asks for HTML": {"sec-fetch-dest": "empty", "sec-fetch-mode": "same-origin"},
    "it is for a frame": {"sec-fetch-dest": "iframe"},
    "it is for an object": {"sec-fetch-dest": "object"},
    "it is for an old frame": {"sec-fetch-dest": "frame"},
    "a part is wanted": {"range": "bytes=0-"},
    "htmx asks": {"hx-request": "true"},
    "Turbo asks for a frame": {"turbo-frame": "messages"},
    "Turbo asks": {"x-turbo-request-id": "1"},
    "jQuery asks": {"x-requested-with": "XMLHttpRequest"},
    "Unpoly asks": {"x-up-version": "3.8"},
    "it must not be transformed": {"cache-control": "no-transform"},
    "it may be another method": {"x-http-method-override": "POST"},
}
PROGRAMS: dict[str, dict[str, str]] = {
    "nothing is said": {},
    "anything": {"accept": "*/*"},
    "JSON": {"accept": "application/json, text/html;q=0.5"},
    "a part of a page": {"accept": "text/vnd.turbo-stream.html"},
    "htmx": {"accept": "text/html, */*", "hx-request": "true"},
    "jQuery": {"accept": "text/html, */*", "x-requested-with": "XMLHttpRequest"},
}


@pytest.mark.parametrize("how", REQUESTS)
def test_who_does_not_go_to_a_page_finds_none(after_trial: Noticing, person: str, how: str) -> None:
    path = after_trial.page()
    after_trial.expire(person)
    assert split(after_trial.visit(path, person))[0], "the same page, asked for as one"
    assert after_trial.visit(path, person, {**NAVIGATION, **REQUESTS[how]}).body == PAGE


@pytest.mark.parametrize("how", PROGRAMS)
def test_programs_that_do_not_ask_for_html_find_none(after_trial: Noticing, person: str, how: str) -> None:
    path = after_trial.page()
    after_trial.expire(person)
    assert split(after_trial.visit(path, person, {"accept": "text/html,*/*;q=0.8"}))[0], "an old browser"
    assert after_trial.visit(path, person, PROGRAMS[how]).body == PAGE


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
def test_other_methods_find_none(after_trial: Noticing, person: str, method: str) -> None:
    page = PAGE if method != "HEAD" else b""
    path = after_trial.page(b'etag: "1"')
    reply = after_trial.visit(path, after_trial.expire(person), NAVIGATION, method)
    assert (reply.body, reply.header("etag")) == (page, '"1"')


# Which answers

ANSWERS: dict[str, bytes] = {
    "text": answer(b"content-type: text/plain", body=PAGE),
    "XHTML": answer(b"content-type: application/xhtml+xml", body=PAGE),
    "no type": answer(body=PAGE),
    "UTF-16": answer(b"content-type: text/html; charset=utf-16", body=PAGE.decode().encode("utf-16")),
    "UTF-16 by its mark": answer(b"content-type: text/html", body=PAGE.decode().encode("utf-16")),
    "an error": answer(HTML, body=PAGE, status=b"404 Not Found"),
    "made": answer(HTML, body=PAGE, status=b"201 Created"),
    "a part": answer(HTML, b"content-range: bytes 0-66/67", body=PAGE, status=b"206 Partial Content"),
    "named": answer(HTML, b'content-disposition: inline; filename="page.html"', body=PAGE),
    "not to be transformed": answer(HTML, b"cache-control: no-transform", body=PAGE),
    "brotli": answer(HTML, b"content-encoding: br", body=b"\x0b\x02\x80abc\x03"),
    "zstandard": answer(HTML, b"content-encoding: zstd", body=b"\x28\xb5\x2f\xfd whatever"),
    "deflate": answer(HTML, b"content-encoding: deflate", body=zlib.compress(PAGE)),
    "gzip twice": answer(HTML, b"content-encoding: gzip, gzip", body=gzip.compress(gzip.compress(PAGE))),
    "nothing": answer(HTML, body=b""),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_is_no_page_that_can_be_changed_stays_as_it_is(after_trial: Noticing, person: str, what: str) -> None:
    reply = after_trial.visit(after_trial.serve(ANSWERS[what]), after_trial.expire(person), GZIP)
    head, _, body = ANSWERS[what].partition(b"\r\n\r\n")
    assert reply.body == body
    if what != "UTF-16 by its mark":  # which only the body shows
        sent = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")[1:]]
        assert sorted(reply.headers) == sorted(sent)


@pytest.mark.parametrize("path", ["/preview/page", "/static/page", "/report.csv"])
def test_results_and_what_is_exempt_are_never_changed(always: Noticing, person: str, path: str) -> None:
    always.raw.answers[path.encode()] = answer(HTML, b'etag: "1"', body=PAGE)
    reply = always.visit(path, person)
    assert (reply.status, reply.body, reply.header("etag")) == (200, PAGE, '"1"')


def test_what_the_application_declares_a_result_is_not_changed(always: Noticing, person: str) -> None:
    assert always.visit(always.page(b"paywall-result: yes"), person).body == PAGE


def test_pages_of_action_routes_have_it_too(always: Noticing, raw: RawApplication, person: str, tmp_path: Path) -> None:
    with noticing(tmp_path, raw, "always", "  - {path: /tool, class: action}\n") as running:
        raw.answers[b"/tool"] = answer(HTML, body=PAGE)
        for _ in range(4):  # their right is remembered in between, and could let them pass on the short way
            assert b"Your trial ends" in split(running.visit("/tool", person))[0]
        running.expire(person)
        reply = running.visit("/tool", person)
        assert b"Your trial is over" in split(reply)[0] and 'rel="payment"' in reply.header("link")


# The head


def test_the_head_of_a_changed_page_is_true(after_trial: Noticing, person: str) -> None:
    path = after_trial.page(
        b'etag: "1"', b"last-modified: Mon, 01 Jan 2024 00:00:00 GMT", b"cache-control: public, max-age=600",
        b"accept-ranges: bytes", b"digest: sha-256=x", b"repr-digest: sha-256=:x:", b"vary: origin", b"x-made-by: them",
        b"expires: Mon, 01 Jan 2035 00:00:00 GMT",
    )  # fmt: skip
    reply = after_trial.visit(path, after_trial.expire(person))
    assert split(reply)[0]
    assert {name.lower() for name, _ in reply.headers} == {
        "content-type", "cache-control", "accept-ranges", "vary", "x-made-by", "transfer-encoding",
    }  # fmt: skip
    assert reply.header("cache-control") == "private, no-cache"
    assert reply.header("accept-ranges") == "none"
    assert {"origin", "cookie", "x-user-id", "Sec-Fetch-Dest", "Accept-Encoding"} <= set(
        reply.header("vary").split(", ")
    )


def test_a_page_that_a_browser_has_without_the_notice_is_sent_anew(after_trial: Noticing, person: str) -> None:
    def unless_known(connection: socket.socket, request: bytes) -> None:
        known = b"if-none-match" in request.lower() or b"if-modified-since" in request.lower()
        sent = b"HTTP/1.1 304 Not Modified\r\n\r\n" if known else answer(HTML, b'etag: "1"', body=PAGE)
        connection.sendall(sent)

    path = after_trial.serve(unless_known)
    asks_again = {
        **NAVIGATION,
        "if-none-match": '"1"',
        "if-modified-since": "Mon, 01 Jan 2024 00:00:00 GMT",
    }
    assert after_trial.visit(path, person, asks_again).status == 304
    after_trial.expire(person)
    other = f"{person}-elsewhere"
    assert split(after_trial.visit(path, after_trial.expire(other), asks_again))[0]


# Byte for byte


@pytest.fixture(scope="module")
def expired_long_ago(after_trial: Noticing) -> str:
    """Somebody whose trial is over."""
    return after_trial.expire("somebody-expired-long-ago")


alphabets = st.sampled_from(["utf-8", "windows-1251", "shift_jis", "gb18030", "iso-8859-1"])


@settings(deadline=None, max_examples=150)
@given(page=pages, places=cuts, text=st.text(max_size=30), alphabet=alphabets, coded=st.booleans(), takes=st.booleans())
def test_without_the_notice_it_is_the_page(
    after_trial: Noticing,
    expired_long_ago: str,
    page: bytes,
    places: list[float],
    text: str,
    alphabet: str,
    coded: bool,
    takes: bool,
) -> None:
    page = text.encode(alphabet, "ignore") + page
    head = f"content-type: text/html; charset={alphabet}".encode()
    sent = page
    if coded:  # also for those who did not ask for it: what applications do
        head, sent = head + b"\r\ncontent-encoding: gzip", gzip.compress(page)
    path = after_trial.serve(in_pieces(head, cut(sent, places)))
    reply = after_trial.visit(path, expired_long_ago, GZIP if takes else NAVIGATION)
    body = gzip.decompress(reply.body) if coded else reply.body
    found = re.findall(rb'<div class="paywall-notice".*?</div>', body)
    assert len(found) == (1 if page and page[:2] not in (b"\xff\xfe", b"\xfe\xff") else 0)
    assert b"".join(re.split(rb'<div class="paywall-notice".*?</div>', body)) == page
    assert after_trial.asked(path)[b"accept-encoding"] == (b"gzip" if takes else b"identity")


# Streaming


def test_a_page_is_seen_as_it_is_made(after_trial: Noticing, person: str) -> None:
    go_on = threading.Event()

    def slowly(connection: socket.socket, _: bytes) -> None:
        send = connection.sendall
        send(b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\ntransfer-encoding: chunked\r\n\r\n5\r\n<p>on\r\n")
        assert go_on.wait(DEADLINE)
        send(b"5\r\nwards\r\n0\r\n\r\n")

    path = after_trial.serve(slowly)
    lines = [f"GET {path} HTTP/1.1", "host: x", f"x-user-id: {after_trial.expire(person)}"]
    lines += [f"{name}: {value}" for name, value in NAVIGATION.items()]
    with after_trial.service.connect() as client:
        client.sendall("\r\n".join([*lines, "connection: close", "", ""]).encode())
        _, received = read_head(client)
        while b"<p>on" not in received:
            received += client.recv(65536)
        assert b"wards" not in received
        go_on.set()
        while piece := client.recv(65536):
            received += piece
    assert b"wards" in received and b"paywall-notice" in received and received.endswith(b"0\r\n\r\n")


def test_a_page_that_breaks_off_is_cut(after_trial: Noticing, person: str) -> None:
    path = after_trial.serve(b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\ncontent-length: 100\r\n\r\n<p>half")
    after_trial.raw.answers[path.encode()] = half_a_page
    lines = [f"GET {path} HTTP/1.1", "host: x", f"x-user-id: {after_trial.expire(person)}"]
    lines += [f"{name}: {value}" for name, value in NAVIGATION.items()]
    received = after_trial.service.raw("\r\n".join([*lines, "", ""]).encode())
    assert received.startswith(b"HTTP/1.1 200 ") and b"<p>half" in received
    assert not received.endswith(b"0\r\n\r\n") and b"paywall-notice" not in received


def half_a_page(connection: socket.socket, _: bytes) -> None:
    """Announces more than it sends."""
    head = b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\ncontent-length: 100\r\n\r\n<p>half"
    connection.sendall(head)


def test_a_bomb_keeps_nobody_waiting_and_takes_no_memory(after_trial: Noticing, person: str) -> None:
    size = 300 * 2**20
    coder = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([coder.compress(b" " * 2**20) for _ in range(size >> 20)]) + coder.flush()
    path = after_trial.serve(answer(HTML, b"content-encoding: gzip", body=bomb))
    after_trial.expire(person)
    before, done = after_trial.service.memory(), threading.Event()
    replies = []

    def ask() -> None:
        replies.append(after_trial.visit(path, person, GZIP))
        done.set()

    threading.Thread(target=ask, daemon=True).start()
    answered = 0
    while not done.is_set():
        assert after_trial.service.request("GET", "/_paywall/health/live").status == 200
        answered += 1
    assert answered > 20, "others are answered meanwhile"
    assert after_trial.service.memory() - before < 64 * 2**20
    decoder, length = zlib.decompressobj(31), 0
    data = replies[0].body
    while data:
        length += len(decoder.decompress(data, 2**20))
        data = decoder.unconsumed_tail
    assert length > size


# The style sheet


def test_the_style_sheet_may_be_kept_and_belongs_to_nobody(after_trial: Noticing, person: str) -> None:
    notice, _ = split(after_trial.visit(after_trial.page(), after_trial.expire(person)))
    (address,) = re.findall(rb'<link rel="stylesheet" href="([^"]*)"', notice)
    reply = after_trial.service.request("GET", address.decode(), {"sec-fetch-dest": "style", "cookie": "a=1"})
    assert (reply.status, reply.header("content-type")) == (200, "text/css; charset=utf-8")
    assert reply.header("cache-control") == "public, max-age=604800, immutable"
    assert reply.header("set-cookie") == "" and b".paywall-notice" in reply.body
    other = after_trial.service.request("GET", "/_paywall/notice.css?v=of-another-version")
    assert (other.status, other.header("cache-control")) == (200, "no-cache")


@pytest.mark.parametrize("policy", [b"content-security-policy: default-src 'none'", b"integrity-policy: x"])
def test_a_page_that_keeps_the_style_sheet_out_is_not_asked_to_let_it_in(
    after_trial: Noticing, person: str, policy: bytes
) -> None:
    reply = after_trial.visit(after_trial.page(policy), after_trial.expire(person))
    notice, page = split(reply)
    assert page == PAGE and b"<link" not in notice and b"style" not in notice and b"Your trial is over" in notice
    name, _, value = policy.decode().partition(": ")
    assert reply.header(name) == value


def test_never_is_what_it_is_without_the_setting(raw: RawApplication, tmp_path: Path, person: str) -> None:
    with noticing(tmp_path, raw, "never") as running:
        path = running.page(b'etag: "1"')
        reply = running.visit(path, running.expire(person))
        assert (reply.body, reply.header("etag")) == (PAGE, '"1"')
