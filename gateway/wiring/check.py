"""What else is wrong with a config, as those rooms know it that will be put to work by it."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.settings.load import Loaded
from gateway.settings.problem import Problem, Severity
from gateway.store.transport.place import Place
from gateway.web.own_templates import problems_of
from gateway.web.pages import environment_for
from gateway.wiring.plugins import check_plugins


def check_rooms(loaded: Loaded) -> tuple[Problem, ...]:
    """Problems with the store's address and with the plugins' parts. Nothing is connected."""
    return (*_check_store(loaded), *check_plugins(loaded), *_check_templates(loaded))


def _check_templates(loaded: Loaded) -> Iterator[Problem]:
    """Every problem of a template is told with the template's own file and line."""
    folder = loaded.settings.offer.templates
    if folder is None:
        return
    for found in problems_of(folder, environment_for(str(folder))):
        severity = Severity.ERROR if found.is_error else Severity.WARNING
        yield Problem(str(found.file), found.message, line=found.line, severity=severity)


def _check_store(loaded: Loaded) -> Iterator[Problem]:
    address = str(loaded.settings.store)
    if address == "embedded":
        return
    try:
        Place.read(address)
    except ValueError as error:
        yield loaded.document.problem(("store",), str(error))
