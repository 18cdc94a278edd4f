"""A subject named by a proxy in front."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.core.subject import Subject, SubjectKind
from gateway.ports.identity import Identified, Rejected
from gateway_identity_header import plugin
from tests.plugins.host import FakeHost
from tests.plugins.identify import request, running


async def ask(*values: str | bytes, trusted: bool = True, kind: str = "person") -> object:
    async with running(plugin, {"name": "X-User-Id", "kind": kind}, FakeHost()) as identity:
        answer: object = await identity.identify(request(*(("x-user-id", value) for value in values), trusted=trusted))
    return answer


async def test_a_trusted_proxy_names_the_subject() -> None:
    assert await ask(" ada ") == Identified(Subject(SubjectKind.PERSON, "ada"))
    assert await ask("Łucja".encode(), kind="account") == Identified(Subject(SubjectKind.ACCOUNT, "Łucja"))
    assert await ask("ada", "ada") == Identified(Subject(SubjectKind.PERSON, "ada"))


async def test_anyone_else_says_nothing() -> None:
    """The header of a stranger is neither believed nor a reason to reject."""
    assert await ask("ada", trusted=False) is None
    assert await ask("ada", "eve", trusted=False) is None


async def test_no_name_is_no_subject() -> None:
    assert await ask() is None
    assert await ask("", "  ") is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (("ada", "eve"), "is sent more than once, with different values"),
        (("ada", ""), "is sent more than once, with different values"),
        ((b"\xff",), "is not UTF-8"),
        (("ada\x00",), "is not plain text"),
        (("a\tb",), "is not plain text"),
        (("\u00a0",), "is not plain text"),
        (("a" * 513,), "is longer than 512 bytes"),
    ],
)
async def test_a_name_that_is_not_clear_is_rejected(values: tuple[str | bytes, ...], why: str) -> None:
    assert await ask(*values) == Rejected(why)


@pytest.mark.parametrize("name", ["", "a b", "cookie", "Authorization", "x:y"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=r"write it like x-user-id|use jwt or api_key"):
        plugin.settings.model_validate({"name": name})


def test_vary_names_the_header() -> None:
    assert plugin.create(plugin.settings.model_validate({"name": "X-User"}), FakeHost()).vary == ("x-user",)
