"""The settings of plugins, checked against what the plugins themselves declare."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from gateway.ports.fields import Settings
from gateway.settings.load import PluginEntry
from gateway.settings.problem import Problem
from gateway.settings.wording import findings_of


@dataclass(frozen=True, slots=True)
class CheckedPlugins:
    """The entries with settings that hold, in their order, and the problems of the others."""

    accepted: tuple[tuple[PluginEntry, Settings], ...]
    problems: tuple[Problem, ...]


def check_plugin_settings(entries: Iterable[PluginEntry], models: Mapping[str, type[Settings]]) -> CheckedPlugins:
    """Check entries of one kind against the settings of the plugins of that kind, by name. Raises nothing."""
    accepted: list[tuple[PluginEntry, Settings]] = []
    problems: list[Problem] = []
    for entry in entries:
        model = models.get(entry.name)
        if model is None:
            problems.append(entry.document.problem(entry.path, _unknown(entry, models)))
            continue
        try:
            accepted.append((entry, model.model_validate(entry.settings)))
        except ValidationError as error:
            for finding in findings_of(error, model, entry.settings):
                problems.append(entry.document.problem((*entry.path, *finding.path), finding.message, finding.severity))
    return CheckedPlugins(tuple(accepted), tuple(problems))


def _unknown(entry: PluginEntry, models: Mapping[str, type[Settings]]) -> str:
    near = difflib.get_close_matches(entry.name, models, 1)
    known = f"did you mean '{near[0]}'?" if near else f"installed: {', '.join(sorted(models)) or 'none'}"
    return f"there is no such plugin for `{entry.kind}`: {known}"
