"""Reads a config: the file, what the environment and the command line put over it, and every check, all at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.settings.checks import CHECKS, check_completeness
from gateway.settings.document import MAX_BYTES, Document, read_document
from gateway.settings.draft import read_draft
from gateway.settings.overlay import Override, apply_overrides, overrides_of
from gateway.settings.problem import ConfigProblems, KeyPath, Problem, Severity
from gateway.settings.reach import check_reach
from gateway.settings.schema import GatewaySettings
from gateway.settings.sections import IN_STORE
from gateway.settings.wording import Finding

PluginKind = Literal["identity", "payments", "teasers", "storage"]


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """One plugin that the config names: its settings as they stand there, and where they stand."""

    kind: PluginKind
    name: str
    settings: Mapping[str, object]
    path: KeyPath
    document: Document = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that can be used."""

    settings: GatewaySettings
    problems: tuple[Problem, ...]
    """Warnings only."""
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal; of nothing where there is no file."""
    document: Document = field(repr=False, compare=False)

    def plugins(self, kind: PluginKind) -> tuple[PluginEntry, ...]:
        """The plugins of one kind, in the order of the config."""
        if kind == "storage":
            section = self.settings.holds.storage
            if section.name == IN_STORE:
                return ()
            path: KeyPath = ("holds", "storage", section.name)
            return (PluginEntry(kind, section.name, section.settings, path, self.document),)
        sections = {
            "identity": self.settings.identity,
            "payments": self.settings.payments,
            "teasers": self.settings.teasers,
        }[kind]
        return tuple(
            PluginEntry(kind, section.name, section.settings, (kind, position, section.name), self.document)
            for position, section in enumerate(sections)
        )

    @property
    def route_lines(self) -> tuple[int, ...]:
        """The line that each route stands in; 0 for routes that stand in no file."""
        marks = self.document.marks
        places = (("routes", position) for position in range(len(self.settings.routes)))
        return tuple(marks[place].line if place in marks else 0 for place in places)


def load_settings(
    path: Path | str, *, environ: Mapping[str, str] | None = None, overrides: Sequence[Override] = ()
) -> Loaded:
    """Read a config file. Raises `ConfigProblems` with every problem there is.

    `environ` is the process's own unless given; `overrides` (options of the command line) win over it.
    Slow for large files (about a second for 500 routes): not for the event loop.
    """
    where, content = str(path), read_file(path)
    document = read_document(where, _decode(where, content))
    return _load(document, hashlib.sha256(content).hexdigest(), environ, overrides)


def default_settings(
    upstream: str,
    *,
    listen: str | None = None,
    store: str | None = None,
    workers: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """The config of `paywall run --upstream URL`: downloads and documents are results, everything else is open.

    Raises `ConfigProblems` that name the option or the environment variable at fault.
    """
    options = [Override("--upstream", ("upstream", "url"), upstream)]
    options += [Override("--listen", ("listen",), listen)] if listen is not None else []
    options += [Override("--store", ("store",), store)] if store is not None else []
    options += [Override("--workers", ("workers",), workers)] if workers is not None else []
    return _load(Document("the settings"), hashlib.sha256(b"").hexdigest(), environ, options)


def read_file(path: Path | str) -> bytes:
    """The bytes of a config file. Raises `ConfigProblems` that says why it can't be read."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise _unreadable(path, "is a folder: name the file in it, like paywall.yaml") from None
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file: `paywall init --upstream URL` writes one") from None
    except OSError as error:
        raise _unreadable(path, f"can't be read: {error.strerror}") from None
    except ValueError:
        raise _unreadable(path, "is not a path") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(path, "is larger than 1 MiB: a config is not meant to hold data")
    return content


def _unreadable(path: Path | str, message: str) -> ConfigProblems:
    return ConfigProblems([Problem(str(path), message)])


def _decode(where: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigProblems([Problem(where, "is not UTF-8: save the file in UTF-8", line=line)]) from None


def _load(document: Document, digest: str, environ: Mapping[str, str] | None, options: Iterable[Override]) -> Loaded:
    overrides = [*overrides_of(os.environ if environ is None else environ), *options]
    texts = apply_overrides(document, overrides)
    draft, findings = read_draft(document)
    if _prefer_texts(document, texts, findings):
        draft, findings = read_draft(document)
    if draft is not None:
        findings.extend(finding for check in (*CHECKS, check_reach) for finding in check(draft))
    problems = document.problems + [_problem(document, finding) for finding in findings if _is_news(document, finding)]
    if draft is None or any(problem.severity is Severity.ERROR for problem in problems):
        raise ConfigProblems(_in_order(problems))
    problems += [_problem(document, finding) for finding in check_completeness(draft)]
    return Loaded(draft.settings, tuple(_in_order(problems)), digest, document)


def _problem(document: Document, finding: Finding) -> Problem:
    return document.problem(finding.path, finding.message, finding.severity)


def _is_news(document: Document, finding: Finding) -> bool:
    """False for what follows from something that could not be read, which is reported already."""
    return not any(finding.path[: len(path)] == path for path in document.unread)


def _prefer_texts(document: Document, texts: Mapping[KeyPath, str], findings: Iterable[Finding]) -> bool:
    """Take variables as text that were read as something else where only text fits: `PAYWALL__OFFER__NAME=2024`."""
    changed = False
    for finding in findings:
        if finding.path in texts and finding.message.startswith("must be text"):
            holder = document.data
            for part in finding.path[:-1]:
                holder = holder[part]  # type: ignore[index]
            holder[finding.path[-1]] = texts[finding.path]  # type: ignore[index]
            changed = True
    return changed


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Variables and options first, then by line; each once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
