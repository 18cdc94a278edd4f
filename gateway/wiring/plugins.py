"""Make the providers that a config names."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.keyring import Keyring
from gateway.extend.catalogue import PluginError, PluginHost, installed, load
from gateway.extend.life import start_all, stop_all
from gateway.ports.clearing import Facilitator, Invoices
from gateway.ports.fields import Settings
from gateway.ports.identity import IdentityProvider
from gateway.ports.payment import PaymentProvider, Renewing
from gateway.ports.plugin import Provider
from gateway.ports.storage import Storage
from gateway.ports.teaser import TeaserMaker
from gateway.settings.load import Loaded, PluginKind
from gateway.settings.plugin_sections import CheckedPlugins, check_plugin_settings, missing_secrets
from gateway.settings.problem import Problem, Severity
from gateway.wiring.signing import make_facilitator, make_invoices

KINDS: Mapping[PluginKind, str] = {
    "identity": "identity", "payments": "payment", "teasers": "teaser", "storage": "storage",
}  # fmt: skip
"""The config's word for each kind of plugin, and its entry point group."""


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of one config."""

    identity: tuple[IdentityProvider, ...]
    payments: Mapping[str, PaymentProvider]
    teasers: tuple[TeaserMaker, ...]
    storage: Storage | None = None
    storage_name: str = ""
    """What the config calls it."""
    facilitator: Facilitator | None = None
    """Who settles payments that come signed with a request."""
    invoices: Invoices | None = None
    """Who makes invoices of the Lightning network."""

    def required(self) -> list[Provider]:
        """Providers without which the gateway does not start."""
        return [*self.identity, *self.payments.values(), *filter(None, [self.storage, self.facilitator, self.invoices])]


def check_plugins(loaded: Loaded) -> tuple[Problem, ...]:
    """What is wrong with the plugins' parts of a config."""
    problems: list[Problem] = []
    for kind, group in KINDS.items():
        try:
            models = _models_for(loaded, kind, group)
        except PluginError as error:
            problems.append(Problem(loaded.document.where, str(error), key=kind))
            continue
        checked = check_plugin_settings(loaded.plugins(kind), models, installed(group))
        problems.extend(checked.problems)
        for entry, settings in checked.accepted:
            problems.extend(missing_secrets(entry, settings))
        if kind == "payments":
            problems.extend(_warn_of_payments(loaded, checked))
    return tuple(problems)


def _warn_of_payments(loaded: Loaded, checked: CheckedPlugins) -> Iterator[Problem]:
    """Providers that send people back from elsewhere, to a host that the config does not name; and subscriptions that
    nobody sells."""
    keyring, prefix = Keyring(secrets.token_bytes(32)), loaded.settings.prefix
    renewing = False
    for entry, settings in checked.accepted:
        host = PluginHost("payment", entry.name, keyring, prefix, lambda: 0, lambda line: None)
        try:
            # Which origins it has may follow from its settings. Making a provider has no effects.
            provider: PaymentProvider = load("payment", entry.name).create(settings, host)
        except Exception as error:  # whatever a plugin raises: it would keep the gateway from starting too
            yield entry.document.problem(entry.path, f"the plugin can't be used so: {error}")
            continue
        renewing = renewing or isinstance(provider, Renewing)
        if provider.form_origins and not loaded.settings.public_url:
            message = (
                "its provider sends people back to the host that their request named, which may be anybody's: "
                "add `public_url`, like https://app.example.com"
            )
            yield entry.document.problem(entry.path, message, Severity.WARNING)
    for number, plan in enumerate(loaded.settings.plans):
        if plan.renews and checked.accepted and not renewing:
            message = "no provider of this config sells subscriptions, so that it can't be bought: add one, like stripe"
            yield loaded.document.problem(("plans", number, "renews"), message, Severity.WARNING)


def make_providers(loaded: Loaded, keyring: Keyring, prefix: str, now: Any, log: Callable[[str], None]) -> Providers:
    """Build every provider of a checked config, without starting any. Raises `PluginError`, `ValueError`."""

    def make(kind: PluginKind, group: str) -> dict[str, Any]:
        checked = check_plugin_settings(loaded.plugins(kind), _models_for(loaded, kind, group))
        return {
            f"{entry.name}:{position}": load(group, entry.name).create(
                settings, PluginHost(group, entry.name, keyring, prefix, now, log)
            )
            for position, (entry, settings) in enumerate(checked.accepted)
        }

    identity = tuple(make("identity", "identity").values())
    payments = {name.partition(":")[0]: provider for name, provider in make("payments", "payment").items()}
    teasers = tuple(make("teasers", "teaser").values())
    if not loaded.settings.teasers:
        teasers = tuple(
            plugin.create(plugin.settings(), PluginHost("teaser", name, keyring, prefix, now, log))
            for name in installed("teaser")
            if (plugin := load("teaser", name))
        )
    name, storage = next(iter(make("storage", "storage").items()), ("", None))
    facilitator, invoices = make_facilitator(loaded.settings), make_invoices(loaded.settings)
    return Providers(identity, payments, teasers, storage, name.partition(":")[0], facilitator, invoices)


def make_storage(loaded: Loaded, keyring: Keyring, now: Any, log: Callable[[str], None]) -> Storage | None:
    """The storage of large held results alone, for commands. Raises `PluginError`, `ValueError`."""
    checked = check_plugin_settings(loaded.plugins("storage"), _models_for(loaded, "storage", "storage"))
    for entry, settings in checked.accepted:
        host = PluginHost("storage", entry.name, keyring, loaded.settings.prefix, now, log)
        made: Storage = load("storage", entry.name).create(settings, host)
        return made
    return None


def make_payments(loaded: Loaded, keyring: Keyring, now: Any, log: Callable[[str], None]) -> dict[str, PaymentProvider]:
    """The ways to pay alone, for commands. Raises `PluginError`, `ValueError`."""
    checked = check_plugin_settings(loaded.plugins("payments"), _models_for(loaded, "payments", "payment"))
    made: dict[str, PaymentProvider] = {}
    for entry, settings in checked.accepted:
        host = PluginHost("payment", entry.name, keyring, loaded.settings.prefix, now, log)
        made[entry.name] = load("payment", entry.name).create(settings, host)
    return made


async def start_providers(providers: Providers, log: Callable[[str], None]) -> Providers:
    """Start them. A teaser maker that can't start (its extra is not installed) is left out; the others must."""
    await start_all(providers.required(), log)
    able: list[TeaserMaker] = []
    for maker in providers.teasers:
        try:
            await start_all([maker], log)
        except Exception as error:  # a missing teaser must not keep the gateway from starting
            log(f"teasers: {error}")
            continue
        able.append(maker)
    return replace(providers, teasers=tuple(able))


async def stop_providers(providers: Providers, log: Callable[[str], None]) -> None:
    """Stop them all."""
    await stop_all([*providers.required(), *providers.teasers], log)


def _models_for(loaded: Loaded, kind: PluginKind, group: str) -> dict[str, type[Settings]]:
    # Only what the config names is imported, so that an unused plugin can neither cost nor break anything.
    names = installed(group)
    return {entry.name: load(group, entry.name).settings for entry in loaded.plugins(kind) if entry.name in names}
