"""Whether the policies of a page let a script of its own origin in and do its work (Content Security Policy Level 3).

As with style sheets only what is certain counts: a script that is kept out would be reported as a violation.
"""

from __future__ import annotations

from gateway.core.header import Headers
from gateway.html.policies import OPEN_TO_OURS, Policy, asks_for_hashes, governing, policies

_SCRIPTS = (b"script-src-elem", b"script-src", b"default-src")
"""The first that a policy has decides on scripts."""
_CALLS = (b"connect-src", b"default-src")
"""The first that a policy has decides on what scripts may ask for."""
_NEEDED_IN_SANDBOX = frozenset({b"allow-scripts", b"allow-same-origin", b"allow-popups"})


def lets_script_in(headers: Headers) -> bool:
    """Whether a script of the page's own origin is allowed, asked no questions, and may ask the gateway for things."""
    return not asks_for_hashes(headers) and all(map(_allows, policies(headers)))


def _allows(policy: Policy) -> bool:
    scripts = governing(policy, _SCRIPTS)
    if OPEN_TO_OURS.isdisjoint(scripts) or OPEN_TO_OURS.isdisjoint(governing(policy, _CALLS)):
        return False
    # With 'strict-dynamic' where a script comes from counts for nothing; `require-sri-for` wants a hash.
    if b"'strict-dynamic'" in scripts or b"require-sri-for" in policy:
        return False
    return b"sandbox" not in policy or policy[b"sandbox"] >= _NEEDED_IN_SANDBOX
