"""What of a config can be read, also where a part of it can't, so that every check can speak at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.settings.document import Document
from gateway.settings.problem import KeyPath, key_text
from gateway.settings.routes import Route
from gateway.settings.schema import GatewaySettings
from gateway.settings.wording import Finding, findings_of

_LISTS = ("routes", "plans", "identity", "payments", "teasers", "trusted_proxies", "former_secrets")
_PLACEHOLDER = "http://placeholder.invalid"

T = TypeVar("T")


@dataclass(frozen=True)
class Draft:
    """The readable part of a config."""

    settings: GatewaySettings
    document: Document
    broken: frozenset[str]
    """Top-level keys of which something could not be read: nothing may be concluded from what they lack."""
    positions: dict[str, list[int]]
    """Where the items of a list stood before the unreadable ones were left out."""

    def items(self, section: str, values: Iterable[T]) -> Iterator[tuple[KeyPath, T]]:
        """The items of a top-level list with their places."""
        values = tuple(values)
        positions = self.positions.get(section) or range(len(values))
        for position, value in zip(positions, values, strict=True):
            yield (section, position), value

    def has(self, path: KeyPath) -> bool:
        """Whether the config itself says this, not a default."""
        return path in self.document.marks

    def place(self, path: KeyPath) -> str:
        """Names a place in a message that stands at another one: `line 12`."""
        mark = self.document.mark(path)
        return f"line {mark.line}" if mark.line else key_text(path)


def read_draft(document: Document) -> tuple[Draft | None, list[Finding]]:
    """Read what can be read, and say what can't. No draft where nothing can."""
    try:
        return Draft(GatewaySettings.model_validate(document.data), document, frozenset(), {}), []
    except ValidationError as error:
        findings = findings_of(error, GatewaySettings, document.data, _is_planned)
    data, positions, broken = _without(document.data, [finding.path for finding in findings])
    try:
        settings = GatewaySettings.model_validate(data)
    except ValidationError:
        return None, findings
    return Draft(settings, document, broken, positions), findings


def _is_planned(path: KeyPath) -> bool:
    return len(path) == 3 and path[0] == "routes" and path[2] in Route.not_yet


def _without(
    data: dict[str, Any], paths: Iterable[KeyPath]
) -> tuple[dict[str, Any], dict[str, list[int]], frozenset[str]]:
    """The data without what stands at these paths: single items of the top-level lists, else whole sections."""
    kept, left_out, broken = dict(data), set[tuple[str, int]](), set[str]()
    for path in paths:
        section = str(path[0]) if path else ""
        broken.add(section)
        if len(path) > 1 and section in _LISTS and isinstance(path[1], int):
            left_out.add((section, path[1]))
        else:
            kept.pop(section, None)
    positions = {}
    for section in {section for section, _ in left_out} & kept.keys():
        positions[section] = [at for at in range(len(data[section])) if (section, at) not in left_out]
        kept[section] = [data[section][at] for at in positions[section]]
    kept.setdefault("upstream", _PLACEHOLDER)
    return kept, positions, frozenset(broken)
