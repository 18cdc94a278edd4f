"""The rules by which the gateway takes a request for a result's, each with how to take it out and what then leaks.

Each file has those of one subject. A rule is one condition in the gateway's source.
"""

from __future__ import annotations

from . import answers, bodies, framing, graphql, heads, matching, pages, peers, queries, sockets, targets
from .rule import Rule

RULES: tuple[Rule, ...] = (
    *targets.RULES,
    *matching.RULES,
    *queries.RULES,
    *pages.RULES,
    *heads.RULES,
    *peers.RULES,
    *framing.RULES,
    *sockets.RULES,
    *bodies.RULES,
    *graphql.RULES,
    *answers.RULES,
)

NOT_SHOWN: dict[str, str] = {
    "expectations": "no result hangs on them: an `Expect` never goes on, met or not. Refusing one that can't be met "
    "keeps a client from waiting for what does not come (RFC 9110 section 10.1.1); tests/flow shows the 417",
}
"""Of the other rules, by name: why no variant and no application shows that they are needed."""

NEEDED = tuple(rule for rule in RULES if rule.witness)
