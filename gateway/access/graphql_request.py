"""What a GraphQL request asks to be run, in all the places where servers look for it, and whether that is a result.

A request has a query, or names one that the application keeps; with several operations in a query it names the one to
run. It comes as JSON, alone or in a batch, as a form, as parameters of the address, or as several of these at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gateway.access.body import Body
from gateway.access.graphql_document import read_document
from gateway.access.parameters import Pairs, first_key, folded_key
from gateway.access.strict_json import Unclear, parse_json
from gateway.core.rule import GraphqlCondition

_QUERY, _OPERATION, _EXTENSIONS, _PERSISTED, _HASH = (
    "query", "operationname", "extensions", "persistedquery", "sha256hash",
)  # fmt: skip
_IDS = frozenset({"id", "documentid", "docid", "queryid", _HASH, _EXTENSIONS + _PERSISTED + _HASH})
"""Names under which servers take the id of a query that they keep."""
_KNOWN = frozenset({"query", "operationName", "variables", "extensions", "id", "documentId"})
_AT_ROOT_OF_ALL = "__typename"


@dataclass(slots=True)
class Asked:
    """One request, or the part of one that stands in one place."""

    documents: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    unclear: str = ""
    """Why something of it can't be read."""

    @property
    def name(self) -> str:
        """The one operation that is asked for; empty where none is, or several are."""
        return next(iter(self.names)) if len(self.names) == 1 else ""

    def put(self, key: str, value: Any) -> None:
        """Take in what stands under this key, folded."""
        if value is None or value == "":
            return
        if key == _EXTENSIONS and isinstance(value, dict):
            for inner, persisted in value.items():
                if folded_key(inner) == _PERSISTED:
                    self._put_persisted(persisted)
        elif key == _EXTENSIONS and isinstance(value, str):
            self._put_json(value)
        elif key == _QUERY and isinstance(value, str):
            self.documents.append(value)
        elif key == _OPERATION and isinstance(value, str):
            self.names.add(value)
        elif key in _IDS and isinstance(value, str | int):
            self.ids.add(str(value))
        elif key in (_EXTENSIONS, _QUERY, _OPERATION) or key in _IDS:
            self.unclear = f"its {key} is of an unknown kind"

    def _put_persisted(self, persisted: Any) -> None:
        if not isinstance(persisted, dict):
            self.unclear = "its extensions are of an unknown kind"
            return
        for key, value in persisted.items():
            if folded_key(key) in _IDS:
                self.put(_HASH, value)

    def _put_json(self, text: str) -> None:
        try:
            value = parse_json(text)
        except Unclear as unclear:
            self.unclear = f"its extensions can't be read: {unclear}"
        else:
            self.put(_EXTENSIONS, value if isinstance(value, dict) else [])


def asked_in_object(item: Any) -> Asked:
    """What an item of JSON asks for."""
    asked = Asked()
    if not isinstance(item, dict):
        asked.unclear = "an item of it is no GraphQL request"
        return asked
    for key, value in item.items():
        asked.put(folded_key(key), value)
    return asked


def asked_in_parameters(pairs: Iterable[tuple[str, str]]) -> Asked:
    """What fields of a form, or the parameters of an address, ask for."""
    asked = Asked()
    for name, value in pairs:
        asked.put(folded_key(name), value)
    return asked


def may_run(condition: GraphqlCondition, body: Body, parameters: Pairs) -> bool:
    """Whether some server runs one of these things. Raises `Unclear` where it can't be told."""
    around = asked_in_parameters(parameters)
    parts = [asked_in_object(item) for item in body.items]
    if body.fields:
        parts.append(asked_in_parameters(body.fields))
    if body.document:
        parts.append(Asked(documents=[body.document]))
    some = set(islice(around.names, 2))  # two tell as well as thousands that no single one is asked for
    for part in parts:
        part.names |= some
    around.names |= {name for part in parts for name in part.names}
    unclear = ""
    for part in (around, *parts):
        try:
            if _part_may_run(condition, part):
                return True
        except Unclear as why:
            unclear = unclear or str(why)
    if unclear:
        raise Unclear(unclear)
    return False


def _part_may_run(condition: GraphqlCondition, asked: Asked) -> bool:
    if asked.names & condition.operations or asked.ids & condition.persisted:
        return True
    unclear = asked.unclear
    for text in asked.documents:
        try:
            document = read_document(text)
        except Unclear as why:
            unclear = str(why)
            continue
        running = document.running(asked.name)
        if running & condition.operations or (condition.fields and document.root_fields(running) & condition.fields):
            return True
    kept = asked.ids - {hash_of(text) for text in asked.documents} if asked.ids else set()
    if kept and not condition.persisted and (condition.fields or not asked.name):
        unclear = "it names a query that only the application knows"
    if unclear:
        raise Unclear(unclear)
    return False


def hash_of(document: str) -> str:
    """The id of an automatically persisted query."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()


def surely_runs(condition: GraphqlCondition, body: Body, parameters: Pairs) -> bool:
    """Whether every server runs one of these things and nothing else."""
    said = {key for name, _ in parameters for key in (first_key(name), folded_key(name))}
    if said & {_QUERY, _OPERATION, _EXTENSIONS, *_IDS}:
        return False
    return bool(body.items) and all(_item_surely_runs(condition, item) for item in body.items)


def _item_surely_runs(condition: GraphqlCondition, item: Any) -> bool:
    if not isinstance(item, dict) or not item.keys() <= _KNOWN:
        return False
    asked = asked_in_object(item)
    if asked.unclear:
        return False
    if not asked.documents:
        return bool(asked.ids) and asked.ids <= condition.persisted
    if asked.ids - {hash_of(text) for text in asked.documents}:
        return False
    try:
        document = read_document(asked.documents[0])
    except Unclear:
        return False
    running = document.running(asked.name)
    if len(running) != 1 or asked.names - running:
        return False
    if running <= condition.operations:
        return True
    fields = document.root_fields(running) - {_AT_ROOT_OF_ALL}
    return bool(fields) and fields <= condition.fields
