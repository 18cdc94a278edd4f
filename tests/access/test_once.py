"""One trial for one identity: by its mail, and so many for one network."""

from __future__ import annotations

import pytest

from gateway.access.once import Once, Whence, network_of, normal_mail
from gateway.core.quantity import DAY, Allowance
from gateway.core.rule import OncePer
from gateway.core.subject import Subject


@pytest.mark.parametrize(
    "same",
    [
        (
            "ann@example.org",
            "Ann@Example.ORG",
            " ann@example.org ",
            "ann+trial2@example.org",
            "ann@example.org.",
            '"ann"@example.org',
            r'"a\nn+2"@example.org',
        ),
        ("a.n.n@gmail.com", "ann@googlemail.com", "ANN+x@gmail.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", "ann@BÜCHER.example"),
    ],
)
def test_spellings_that_lead_to_one_box_are_one(same: tuple[str, ...]) -> None:
    assert len({normal_mail(each) for each in same}) == 1 and normal_mail(same[0])


def test_what_may_be_two_boxes_stays_two() -> None:
    different = [
        "ann@example.org",
        "an.n@example.org",
        "ann@example.com",
        "anna@example.org",
        "ann@mail.example.org",
        "+x@example.org",
    ]
    assert len({normal_mail(each) for each in different}) == len(different)


@pytest.mark.parametrize("none", ["", "ann", "@example.org", "ann@", "ann@" + "x" * 70 + ".org"])
def test_what_is_no_address_claims_nothing(none: str) -> None:
    assert normal_mail(none) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("203.0.113.77:51234", "203.0.113.0/24"),
        ("[2001:db8:1:2:3::4]:443", "2001:db8:1::/48"),
        ("[2001:db8:1:2:3::4]", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("203.0.113.77:", "203.0.113.0/24"),
        ("[", ""),
        ("unix", ""),
    ],
)
def test_a_network_is_what_one_household_has(address: str, network: str) -> None:
    assert network_of(address) == network


def test_only_what_the_config_asks_for_is_claimed_and_nothing_in_clear() -> None:
    ann = Subject.parse("person:ann@example.org")
    claims = {"email": "ann@example.org"}
    per = OncePer(mail_claim="email", network=Allowance(5, DAY), kept_ms=9 * DAY)
    mail, network = Once(per, b"k" * 32).claims(ann, claims, Whence("203.0.113.77"))
    assert (mail.kind, mail.allowance) == ("mail", Allowance(1, 9 * DAY))
    assert (network.kind, network.allowance) == ("network", Allowance(5, DAY))
    assert "ann" not in mail.digest and "203" not in network.digest
    assert Once(per, b"l" * 32).claims(ann, claims, Whence(""))[0].digest != mail.digest
    assert Once(per, b"k" * 32).claims(ann, {"email": 7}, Whence("unix")) == ()
    at = Whence("", "a browser")
    by_device = OncePer(device=True, kept_ms=DAY)
    (device,) = Once(by_device, b"k" * 32).claims(ann, {}, at)
    assert (device.kind, device.allowance) == ("device", Allowance(1, DAY)) and "browser" not in device.digest
    assert Once(by_device, b"k" * 32).claims(Subject.parse("visitor:x"), {}, at) == ()
    assert Once(by_device, b"k" * 32).claims(ann, {}, Whence("")) == ()
    (by_id,) = Once(OncePer(mail_is_subject=True, kept_ms=DAY), b"k" * 32).claims(ann, {}, Whence("203.0.113.77"))
    assert by_id.digest == mail.digest
