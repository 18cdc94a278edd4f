"""Why a request is refused before it is known who asks, or because that is not known."""

from __future__ import annotations

from gateway.language.language import Sentence
from gateway.ports.identity import Rejected


def of_a_result(rejected: Rejected | None) -> Sentence:
    """Why a result needs to know who asks."""
    if rejected is None:
        return Sentence("This yields a result, so the service must know who asks.")
    return Sentence(
        "This yields a result, so the service must know who asks. The proof of identity that came along %(why)s.",
        {"why": rejected.why},
    )


def of_a_page(rejected: Rejected | None) -> Sentence:
    """Why a page of ours needs to know who asks."""
    if rejected is None:
        return Sentence("This page is about you, so the service must know who asks.")
    return Sentence(
        "This page is about you, so the service must know who asks. The proof of identity that came along %(why)s.",
        {"why": rejected.why},
    )


def of_nobody() -> Sentence:
    """Why a proof that may well hold does not help now."""
    return Sentence("Your proof of identity is not to blame; try again in a few seconds.")


def of_another_form() -> Sentence:
    """Why an address is not answered as it is written."""
    return Sentence("This address has one plain form; that is where it leads.")
