"""Whether the policies of a page let a style sheet of its own origin in (Content Security Policy Level 3).

Only what is certain counts. Where it is not, a page is better off without the style sheet than with a report of a
violation, and nobody's policy is ever made weaker.
"""

from __future__ import annotations

from gateway.core.header import Headers
from gateway.html.policies import OPEN_TO_OURS, asks_for_hashes, governing, policies

_GOVERNING = (b"style-src-elem", b"style-src", b"default-src")
"""The first that a policy has decides on style sheets."""


def lets_style_in(headers: Headers) -> bool:
    """Whether a style sheet of the page's own origin is allowed and asked no questions by what these headers say."""
    return not asks_for_hashes(headers) and all(
        not OPEN_TO_OURS.isdisjoint(governing(policy, _GOVERNING)) for policy in policies(headers)
    )
