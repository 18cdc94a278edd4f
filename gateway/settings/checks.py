"""What is wrong between the parts of a config that are right each by itself.

A check takes the draft and yields findings. It concludes nothing from a part that could not be read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from gateway.core.quantity import DAY
from gateway.core.rule import Framework, Mode, RouteClass
from gateway.core.theme import weak_contrasts
from gateway.ports.fields import Secret
from gateway.settings.address import Address, has_password
from gateway.settings.agent_checks import check_lightning, check_x402
from gateway.settings.body_checks import check_body_conditions
from gateway.settings.draft import Draft
from gateway.settings.problem import WILL_NOT_START, KeyPath, Severity
from gateway.settings.sections import IN_STORE
from gateway.settings.theme import theme_of
from gateway.settings.wording import Finding

SECRET_BYTES = 16
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


_FOLDERS = (
    ("/_next/", Framework.NEXTJS),
    ("/_app/immutable/", Framework.SVELTEKIT),
    ("/_nuxt/", Framework.NUXT),
    ("/page-data/", Framework.GATSBY),
)
"""Where frameworks keep files of their own."""


def _warning(*path: str | int, message: str) -> Finding:
    return Finding(path, message, Severity.WARNING)


def check_addresses(draft: Draft) -> Iterator[Finding]:
    """The gateway must not forward to itself, nor show operators' pages where the public comes in."""
    settings = draft.settings
    if settings.admin is not None and _same(settings.admin.listen, settings.listen):
        yield Finding(("admin", "listen"), f"is the public address {settings.listen} too: give it one of its own")
    for position, upstream in enumerate(settings.upstream.addresses):
        if upstream.scheme == "http" and "upstream" not in draft.broken and settings.listen.port:
            target = Address(upstream.host, upstream.port)
            if _same(target, settings.listen) and (upstream.host in _LOOPBACK or upstream.host == settings.listen.host):
                where = ("upstream", "url") if settings.upstream.urls is None else ("upstream", "urls", position)
                yield Finding(where, f"is the gateway's own address, {settings.listen}: name the application's")


def check_one_application(draft: Draft) -> Iterator[Finding]:
    """The application is named once."""
    upstream = draft.settings.upstream
    if upstream.url is not None and upstream.urls is not None:
        yield Finding(("upstream", "urls"), "stands beside `upstream.url`: keep one, `urls` can name it too")


def _same(one: Address, other: Address) -> bool:
    if one.port == 0 or one.port != other.port:
        return False
    every = ("0.0.0.0", "::")  # noqa: S104 - compared, never listened on
    both_local = one.host in _LOOPBACK and other.host in _LOOPBACK
    return one.host == other.host or both_local or one.host in every or other.host in every


def check_workers(draft: Draft) -> Iterator[Finding]:
    """More processes than cores take from each other and give nothing."""
    workers, cores = draft.settings.workers, cores_here()
    if workers > cores > 0:
        held = "1 core" if cores == 1 else f"{cores} cores"
        yield _warning("workers", message=f"{workers} workers share {held} here: one for each core is enough")


def cores_here() -> int:
    """The cores that this process may use; 0 where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def check_store(draft: Draft) -> Iterator[Finding]:
    """Several gateways behind one store need one secret; a password belongs out of the file."""
    settings = draft.settings
    if settings.store != "embedded" and settings.secret is None and "secret" not in draft.broken:
        in_file = draft.document.mark(()).line > 0
        mend = (
            "add `secret: {env: PAYWALL_SECRET}`"
            if in_file
            else "put one into PAYWALL_SECRET and set PAYWALL__SECRET__ENV=PAYWALL_SECRET"
        )
        yield Finding(("store",), f"a store of its own needs a secret that every gateway on it shares: {mend}")
    if has_password(settings.store) and draft.document.mark(("store",)).line:
        yield _warning(
            "store", message="holds a password in the file: give the URL in the environment, as PAYWALL__STORE"
        )


def check_secret(draft: Draft) -> Iterator[Finding]:
    """A secret that can be read here must be long enough; one that can't may still be there where it runs."""
    if draft.settings.secret is not None:
        yield from _check_secret(("secret",), draft.settings.secret)
    for path, former in draft.items("former_secrets", draft.settings.former_secrets):
        yield from _check_secret(path, former)


def _check_secret(path: KeyPath, secret: Secret) -> Iterator[Finding]:
    where = (*path, "env" if secret.env is not None else "file")
    try:
        length = len(secret.reveal())
    except (ValueError, OSError) as error:
        yield _warning(*where, message=f"{error}: {WILL_NOT_START}")
        return
    if length < SECRET_BYTES:
        yield Finding(
            where, f"is too short: a secret has at least {SECRET_BYTES} bytes, `openssl rand -hex 32` makes one"
        )


def check_proxies(draft: Draft) -> Iterator[Finding]:
    """An identity header from anyone would let anyone be anyone."""
    proxies = draft.settings.trusted_proxies
    for path, section in draft.items("identity", draft.settings.identity):
        if section.name == "header" and not proxies and "trusted_proxies" not in draft.broken:
            yield Finding(
                (*path, "header"),
                "would never be believed: name the proxy that sends it in `trusted_proxies`, like [127.0.0.1/32]",
            )
    for path, network in draft.items("trusted_proxies", proxies):
        if network.prefixlen == 0:
            yield _warning(*path, message=f"{network} trusts everyone who can connect: name the proxies' own networks")


def check_route_names(draft: Draft) -> Iterator[Finding]:
    """A name means one route."""
    seen: dict[str, str] = {}
    for path, route in draft.items("routes", draft.settings.routes):
        if route.name is None:
            continue
        if route.name in seen:
            yield Finding((*path, "name"), f"'{route.name}' is the name of the route in {seen[route.name]} too")
        seen.setdefault(route.name, draft.place(path))


def check_route_conditions(draft: Draft) -> Iterator[Finding]:
    """Conditions and settings must fit the class of the route."""
    for path, route in draft.items("routes", draft.settings.routes):
        if route.class_ is not RouteClass.RESULT:
            if route.answer is not None:
                yield Finding((*path, "answer"), f"only a route of class result has it, this one is {route.class_}")
            for key in ("mode", "grace", "price", "on_store_failure"):
                if draft.has((*path, key)):
                    yield _warning(*path, key, message=f"has no effect on a route of class {route.class_}: remove it")
            continue
        mode = route.mode or draft.settings.results_after_trial.mode
        if route.price is not None and mode is not Mode.HOLD and "results_after_trial" not in draft.broken:
            message = (
                f"pays for a result that is kept, and mode {mode} keeps none: set `mode: hold`, or sell by `plans`"
            )
            yield Finding((*path, "price"), message)
        known = route.mode is not None or "results_after_trial" not in draft.broken
        if route.answer is not None and mode is Mode.BLOCK and known:
            yield Finding(
                (*path, "mode" if route.mode else "answer"),
                "an answer can't be judged and blocked beforehand: set `mode: hold` or `mode: preview` on this "
                "route, or remove `answer`",
            )


def check_frameworks(draft: Draft) -> Iterator[Finding]:
    """Whoever names a framework's own folder has pages with more than one address."""
    settings = draft.settings
    if "frameworks" in draft.broken or all(route.class_ is not RouteClass.RESULT for route in settings.routes):
        return
    for path, route in draft.items("routes", settings.routes):
        for folder, framework in _FOLDERS:
            if folder in route.path and framework not in settings.frameworks:
                yield _warning(
                    *path,
                    "path",
                    message=f"looks like {framework}, which serves the data of a page at another address too: add "
                    f"`frameworks: [{framework}]`, so that a result is one there, too",
                )


def check_prefix(draft: Draft) -> Iterator[Finding]:
    """What lives under the prefix is the gateway's."""
    prefix = draft.settings.prefix
    for path, route in draft.items("routes", draft.settings.routes):
        if route.path == prefix or route.path.startswith(prefix + "/"):
            yield Finding(
                (*path, "path"),
                f"'{prefix}' is the gateway's own and never forwarded: choose another path, or another `prefix`",
            )


def check_plans(draft: Draft) -> Iterator[Finding]:
    """An id means one plan, all prices are in one currency, and what renews costs something and gives days, weeks,
    months or years."""
    seen: dict[str, str] = {}
    for path, plan in draft.items("plans", draft.settings.plans):
        if plan.renews and not plan.price.minor:
            yield Finding((*path, "renews"), "costs nothing, so nothing renews: drop `renews`, or add a price")
        if plan.renews and (plan.gives.results or (not plan.gives.unit and plan.gives.period_ms % DAY)):
            message = "a plan that renews gives whole days, weeks, months or years: write '1 month', or drop `renews`"
            yield Finding((*path, "gives"), message)
        if plan.id in seen:
            yield Finding((*path, "id"), f"'{plan.id}' is the id of the plan in {seen[plan.id]} too")
        seen.setdefault(plan.id, draft.place(path))
    priced = [(path, plan.price) for path, plan in draft.items("plans", draft.settings.plans)]
    routes = draft.items("routes", draft.settings.routes)
    priced += [(path, route.price) for path, route in routes if route.price is not None]
    for path, price in priced[1:]:
        first_path, first = priced[0]
        if price.currency != first.currency:
            place = draft.place(first_path)
            yield Finding((*path, "price"), f"is in {price.currency}, the one in {place} in {first.currency}: use one")


def check_completeness(draft: Draft) -> Iterator[Finding]:
    """Warnings of a config that runs and does not do what a config is for. Only for a config without errors."""
    settings = draft.settings
    results = [path for path, route in draft.items("routes", settings.routes) if route.class_ is RouteClass.RESULT]
    priced = any(plan.price.minor for plan in settings.plans) or any(route.price for route in settings.routes)
    given = [path for path, plan in draft.items("plans", settings.plans) if not plan.price.minor]
    by_request = settings.x402 is not None or settings.lightning is not None
    if results and not settings.identity:
        yield _warning("identity", message="nobody can be known, so that every result answers 401: add `- visitor: {}`")
    if not results:
        yield _warning("routes", message="no route has the class result: nothing is ever withheld")
    elif not priced and not given and not by_request:
        place = results[0] if draft.has(results[0]) else ("plans",)
        yield _warning(*place, message="results are withheld after the trial and there is nothing to buy: add `plans`")
    elif priced and not settings.payments and not by_request:
        yield _warning("plans", message="there is no way to pay for them: add `payments`")
    if given and all(section.name == "visitor" for section in settings.identity):
        message = "costs nothing, and is for those who are known, not for visitors: add another `identity`, or a price"
        yield _warning(*given[0], "price", message=message)


def check_sandbox(draft: Draft) -> Iterator[Finding]:
    """Play money must have been allowed in so many words."""
    allowed = draft.settings.sandbox is not None
    for path, section in draft.items("payments", draft.settings.payments):
        if section.name == "sandbox" and not allowed and "sandbox" not in draft.broken:
            yield Finding((*path, "sandbox"), "nothing is really paid with it: to try it out add `sandbox: allowed`")
    if allowed:
        yield _warning("sandbox", message="whoever comes can pay with play money: remove it before real clients come")


def check_plugin_names(draft: Draft) -> Iterator[Finding]:
    """A payment plugin is addressed by its name, so it stands there once."""
    seen: dict[str, str] = {}
    for path, section in draft.items("payments", draft.settings.payments):
        if section.name == "free":
            yield Finding((*path, section.name), "is what plans that cost nothing are taken by: give it another name")
        if section.name in seen:
            yield Finding((*path, section.name), f"stands in {seen[section.name]} too: keep one")
        seen.setdefault(section.name, draft.place(path))


def check_offer(draft: Draft) -> Iterator[Finding]:
    """An id means one reason."""
    seen: set[str] = set()
    for position, reason in enumerate(draft.settings.offer.reasons):
        if reason.id in seen:
            yield Finding(("offer", "reasons", position, "id"), f"'{reason.id}' is the id of another reason too")
        seen.add(reason.id)


def check_holds(draft: Draft) -> Iterator[Finding]:
    """One result must fit into what a subject may have in all."""
    holds = draft.settings.holds
    if holds.max_size > holds.max_total:
        key = "max_size" if draft.has(("holds", "max_size")) else "max_total"
        yield Finding(
            ("holds", key),
            "one result may be larger than all of a subject's together: raise `max_total` or lower `max_size`",
        )
    if "holds" in draft.broken:
        return
    if holds.storage.name == IN_STORE:
        for key in ("large", "max_stored"):
            if draft.has(("holds", key)):
                yield _warning("holds", key, message="has no effect while all is kept in the store: add `storage`")
    elif holds.max_stored is not None and holds.max_stored < holds.max_size:
        yield Finding(
            ("holds", "max_stored"),
            "is less than one result may have: raise it, or lower `max_size`",
        )


def check_theme(draft: Draft) -> Iterator[Finding]:
    """What is chosen must be readable by everybody."""
    for key, message in weak_contrasts(theme_of(draft.settings.offer.theme)):
        yield _warning("offer", "theme", *key, message=message)


CHECKS: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    check_addresses,
    check_one_application,
    check_workers,
    check_store,
    check_secret,
    check_proxies,
    check_route_names,
    check_route_conditions,
    check_body_conditions,
    check_frameworks,
    check_prefix,
    check_plans,
    check_sandbox,
    check_plugin_names,
    check_offer,
    check_theme,
    check_holds,
    check_x402,
    check_lightning,
)
"""What may be checked also where parts of the config could not be read; `reach` has one more."""
