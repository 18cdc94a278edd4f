"""The settings of plugins, checked against what the plugins themselves declare."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from pydantic import ValidationError

from gateway.ports.fields import Secret, Settings
from gateway.settings.load import PluginEntry
from gateway.settings.problem import WILL_NOT_START, KeyPath, Problem, Severity
from gateway.settings.wording import findings_of


@dataclass(frozen=True, slots=True)
class CheckedPlugins:
    """The entries with settings that hold, in their order, and the problems of the others."""

    accepted: tuple[tuple[PluginEntry, Settings], ...]
    problems: tuple[Problem, ...]


def check_plugin_settings(
    entries: Iterable[PluginEntry], models: Mapping[str, type[Settings]], installed: Iterable[str] = ()
) -> CheckedPlugins:
    """Check entries of one kind against the settings of the plugins of that kind, by name. Raises nothing.

    `installed` are all names of that kind, where `models` has only those that the config names.
    """
    accepted: list[tuple[PluginEntry, Settings]] = []
    problems: list[Problem] = []
    for entry in entries:
        model = models.get(entry.name)
        if model is None:
            problems.append(entry.document.problem(entry.path, _unknown(entry, {*models, *installed})))
            continue
        try:
            accepted.append((entry, model.model_validate(entry.settings)))
        except ValidationError as error:
            for finding in findings_of(error, model, entry.settings):
                problems.append(entry.document.problem((*entry.path, *finding.path), finding.message, finding.severity))
    return CheckedPlugins(tuple(accepted), tuple(problems))


def missing_secrets(entry: PluginEntry, settings: Settings) -> Iterator[Problem]:
    """Warnings of secrets that can't be read here; they may still be there where the gateway runs."""
    for path, secret in _secrets(settings):
        try:
            secret.reveal()
        except ValueError as error:
            path = (*entry.path, *path, "env" if secret.env is not None else "file")
            message = f"{error}: {WILL_NOT_START}"
            yield entry.document.problem(path, message, Severity.WARNING)


def _secrets(settings: Settings) -> Iterator[tuple[KeyPath, Secret]]:
    """The secrets that settings name, alone or in lists, each with where it stands."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Secret):
            yield (name,), value
        elif isinstance(value, list | tuple):
            yield from (((name, number), each) for number, each in enumerate(value) if isinstance(each, Secret))


def _unknown(entry: PluginEntry, names: Set[str]) -> str:
    near = difflib.get_close_matches(entry.name, sorted(names), 1)
    known = f"did you mean '{near[0]}'?" if near else f"installed: {', '.join(sorted(names)) or 'none'}"
    return f"there is no such plugin for `{entry.kind}`: {known}"
