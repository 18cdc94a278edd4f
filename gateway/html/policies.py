"""The policies that an answer brings along, read (Content Security Policy Level 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.core.header import Headers

Policy = Mapping[bytes, frozenset[bytes]]
"""The words of each directive, in lower case."""

_POLICIES = frozenset({b"content-security-policy", b"content-security-policy-report-only"})
_INTEGRITY = frozenset({b"integrity-policy", b"integrity-policy-report-only"})
OPEN_TO_OURS = frozenset({b"'self'", b"*"})
"""Either lets things of the page's own origin in."""


def asks_for_hashes(headers: Headers) -> bool:
    """Whether an `Integrity-Policy` may want hashes of scripts and style sheets."""
    return any(name in _INTEGRITY for name, _ in headers)


def policies(headers: Headers) -> Iterator[Policy]:
    """Every one, those too that only report: a report is a violation for whoever reads the reports."""
    for name, value in headers:
        if name in _POLICIES:
            yield from map(_read, value.split(b","))


def governing(policy: Policy, names: tuple[bytes, ...]) -> frozenset[bytes]:
    """The words of the first of these directives that the policy has; those that let everything in without any."""
    return next((policy[name] for name in names if name in policy), OPEN_TO_OURS)


def _read(policy: bytes) -> Policy:
    directives: dict[bytes, frozenset[bytes]] = {}
    for directive in policy.lower().split(b";"):
        words = directive.split()
        if words:
            directives.setdefault(words[0], frozenset(words[1:]))  # of two with one name the first counts
    return directives
