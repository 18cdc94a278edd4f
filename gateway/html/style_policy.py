"""Whether the policies of a page let a style sheet of its own origin in (Content Security Policy Level 3).

Only what is certain counts. Where it is not, a page is better off without the style sheet than with a report of a
violation, and nobody's policy is ever made weaker.
"""

from __future__ import annotations

from gateway.core.header import Headers

_POLICIES = frozenset({b"content-security-policy", b"content-security-policy-report-only"})
_INTEGRITY = frozenset({b"integrity-policy", b"integrity-policy-report-only"})
"""These may ask for hashes of style sheets, too."""
_GOVERNING = (b"style-src-elem", b"style-src", b"default-src")
"""The first that a policy has decides on style sheets."""
_OPEN_TO_OURS = frozenset({b"'self'", b"*"})


def lets_style_in(headers: Headers) -> bool:
    """Whether a style sheet of the page's own origin is allowed and asked no questions by what these headers say."""
    for name, value in headers:
        if name in _INTEGRITY:
            return False
        if name in _POLICIES and not all(_allows(policy) for policy in value.split(b",")):
            return False
    return True


def _allows(policy: bytes) -> bool:
    directives: dict[bytes, list[bytes]] = {}
    for directive in policy.lower().split(b";"):
        words = directive.split()
        if words:
            directives.setdefault(words[0], words[1:])  # of two with one name the first counts
    for name in _GOVERNING:
        if name in directives:
            return not _OPEN_TO_OURS.isdisjoint(directives[name])
    return True
