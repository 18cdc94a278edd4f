"""Rules for what a GraphQL request runs, in all the places that have a say in it."""

from __future__ import annotations

import json

from tests.hostile.gateways import Site
from tests.hostile.message import Variant, request

from .bodies import sent
from .rule import Rule

_DOCUMENT = "gateway.access.graphql_document:"
_REQUEST = "gateway.access.graphql_request:"
_FIELD = Site(before=('{path: "/graphql", class: result, graphql: {field: export}}',))
_OPERATION = Site(before=('{path: "/graphql", class: result, graphql: export}',))


def _asks(*items: dict[str, object], target: bytes = b"/graphql") -> Variant:
    """A request as JSON; several items are a batch."""
    body = json.dumps(items[0] if len(items) == 1 else items).encode()
    return sent(body, (b"Content-Type", b"application/json"), target=target)


RULES: tuple[Rule, ...] = (
    Rule(
        "a field is not what the answer calls it",
        _DOCUMENT + "_Reader._field",
        "name = self._name()",
        "self._name()",
        "bodies",
        _asks({"query": "{ me: export }"}),
        site=_FIELD,
    ),
    Rule(
        "fields of fragments",
        _DOCUMENT + "Document.root_fields",
        "waiting += self.fragments.get(name, ())",
        "pass",
        "bodies",
        _asks({"query": "{ ...all } fragment all on Query { export }"}),
        site=_FIELD,
    ),
    Rule(
        "fields of fragments within",
        _DOCUMENT + "_Reader._fragment",
        "at_root.append(at_root[-1])",
        "at_root.append(False)",
        "bodies",
        _asks({"query": "{ ... on Query { export } }"}),
        site=_FIELD,
    ),
    Rule(
        "every operation that may run",
        _DOCUMENT + "Document.running",
        "set(self.operations)",
        "set(list(self.operations)[:1])",
        "bodies",
        _asks({"query": "query A { me } query B { export }"}),
        site=_FIELD,
    ),
    Rule(
        "a query in the address",
        _REQUEST + "may_run",
        "for part in (around, *parts):",
        "for part in parts:",
        "bodies",
        Variant("GraphQL by GET", request(b"/graphql?query=%7Bexport%7D")),
        site=_FIELD,
    ),
    Rule(
        "a name in the address",
        _REQUEST + "may_run",
        "part.names |= some",
        "pass",
        "bodies",
        _asks({"query": "query A { me } query B { export }", "operationName": "A"}, target=b"/graphql?operationName=B"),
        site=_FIELD,
    ),
    Rule(
        "every request of a batch",
        _REQUEST + "may_run",
        "for item in body.items]",
        "for item in body.items[:1]]",
        "bodies",
        _asks({"query": "{ me }"}, {"query": "{ export }"}),
        site=_FIELD,
    ),
    Rule(
        "a query that only the application knows",
        _REQUEST + "_part_may_run",
        "if kept and not condition.persisted and (condition.fields or not asked.name):",
        "if False:",
        "bodies",
        _asks({"id": "export"}),
        site=_FIELD,
    ),
    Rule(
        "an id within extensions",
        _REQUEST + "Asked._put_persisted",
        "self.put(_HASH, value)",
        "pass",
        "bodies",
        _asks({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "export"}}}),
        site=_FIELD,
    ),
    Rule(
        "names of GraphQL's own in any case",
        _REQUEST + "asked_in_object",
        "asked.put(folded_key(key), value)",
        "asked.put(key, value)",
        "bodies",
        _asks({"Query": "{ export }"}),
        site=_FIELD,
    ),
    Rule(
        "GraphQL that can't be read",
        _REQUEST + "_part_may_run",
        "            unclear = str(why)\n",
        "",
        "bodies",
        _asks({"query": "{ export } ?"}),
        site=_FIELD,
    ),
    Rule(
        "a document that is the whole body",
        _REQUEST + "may_run",
        "if body.document:",
        "if False:",
        "bodies",
        sent(b"{ export }", (b"Content-Type", b"application/graphql"), target=b"/graphql"),
        site=_FIELD,
    ),
    Rule(
        "an operation that is named in the query alone",
        _REQUEST + "_part_may_run",
        "running & condition.operations or",
        "",
        "bodies",
        _asks({"query": "query export { me }"}),
        site=_OPERATION,
    ),
)
