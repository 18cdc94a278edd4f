"""The gateway as it is measured, in each of its settings."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import jwt

from bench.candidate import Candidate, Site
from bench.processes import Command

_SECRET = "a secret for nothing but this benchmark"
_SUBJECTS = 1000
_PATHS = 10_000

# Metrics are kept where there is an admin address; the access log is always on, and goes to a file here.
_CONFIG = """
admin: {{listen: "127.0.0.1:{admin_port}"}}
upstream: {{url: "http://127.0.0.1:{upstream_port}", read_timeout: 15m}}
store: embedded
sandbox: allowed
trusted_proxies: [127.0.0.1/32]

identity: {identity}

trial: {{length: {trial}, starts: first-visit}}
results_after_trial: {{mode: hold, grace: {grace}}}

plans:
  - {{id: pro, name: Pro, price: 19.00 USD, gives: 30d}}
payments:
  - sandbox: {{}}

routes:
{routes}
"""

_NOBODY = "[]"
_TOKEN = "[{jwt: {from: [bearer], secret: {env: BENCH_JWT_SECRET}, algorithms: [HS256], subject: sub}}]"
_HEADER = "[{header: {name: x-user-id}}]"
_OPEN_ROUTE = '  - {path: "/**", class: open}'


@dataclass(frozen=True)
class _Policy:
    """What stands in the config; `fruitless` rules come first and match nothing."""

    identity: str = _NOBODY
    fruitless: int = 0
    trial: str = "14d"
    grace: str = "2 per 30d"

    def prepare(self, site: Site) -> Command:
        """The config in the site's folder, and the gateway that reads it."""
        config = site.folder / "paywall.yaml"
        text = _CONFIG.format(
            admin_port=site.spare_port,
            upstream_port=site.upstream_port,
            identity=self.identity,
            trial=self.trial,
            grace=self.grace,
            routes=self._routes(),
        )
        config.write_text(text)
        arguments = ("run", "--config", str(config), "--listen", f"127.0.0.1:{site.port}", "--store", "embedded")
        return Command((site.program, *arguments), {"BENCH_JWT_SECRET": _SECRET, **_chosen_tree()})

    def _routes(self) -> str:
        # The first match wins and none of these match, so that every request pays for all of them.
        fruitless = [
            f'  - {{path: "/api/area-{number}/{{id}}/pdf", methods: [GET], class: result, name: result-{number}}}'
            for number in range(self.fruitless)
        ]
        results = ['  - {path: "/results/**", class: result, name: results}'] if self.fruitless else []
        return "\n".join([*fruitless, *results, _OPEN_ROUTE])


def _zero_config(site: Site) -> Command:
    upstream = f"http://127.0.0.1:{site.upstream_port}"
    return Command((site.program, "run", "--upstream", upstream, "--listen", f"127.0.0.1:{site.port}"), _chosen_tree())


def _chosen_tree() -> dict[str, str]:
    # Whoever points Python at a tree of the gateway means to measure that one.
    return {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


def _bearer() -> str:
    now = int(time.time())
    claims = {"sub": "bench-subject", "iat": now, "exp": now + 24 * 3600}
    return "authorization: Bearer " + jwt.encode(claims, _SECRET, algorithm="HS256")


PLAIN = Candidate(
    name="paywall-off",
    title="paywall, policy off",
    program="paywall",
    install="install this project into the environment of this Python (pip install -e .)",
    version_arguments=("--version",),
    prepare=_Policy().prepare,
    decision="forward:open",
    # The environment of this Python often lies in a home that another user may not enter.
    drop_privileges=False,
)
"""One open route, and nobody is asked who they are."""

ZERO_CONFIG = replace(
    PLAIN, name="paywall-zero", title="paywall, zero-config", prepare=_zero_config, decision="forward:open"
)


def with_token() -> Candidate:
    """A hundred rules, the last of which matches and is open; every request has a token, good for a day from now."""
    policy = _Policy(_TOKEN, fruitless=98)
    return replace(
        PLAIN, name="paywall-jwt", title="paywall, JWT, 100 rules", prepare=policy.prepare, headers=(_bearer(),)
    )


def in_trial() -> Candidate:
    """The same, but the route is a result and the subject in its trial."""
    title = "paywall, JWT, 100 rules, result in trial"
    return replace(with_token(), name="paywall-trial", title=title, path="/results/bench", decision="forward:trial")


def with_rules(count: int) -> Candidate:
    """`count` rules, the last of which matches; the paths differ and go down into the rules that do not match."""
    policy = _Policy(fruitless=count - 2)
    return replace(
        PLAIN,
        name=f"paywall-rules-{count}",
        title=f"paywall, {count:,} rules",
        prepare=policy.prepare,
        path="/api/area-{n}/7/csv",
        variants=_PATHS,
    )


_AFTER_TRIAL = _Policy(_HEADER, fruitless=8, trial="0s", grace="1000000 per 30d")

TAKING_GRACE = replace(
    PLAIN,
    name="paywall-grace",
    title="paywall, result taking grace",
    prepare=_AFTER_TRIAL.prepare,
    path="/results/bench",
    headers=("x-user-id: subject-{n}",),
    variants=_SUBJECTS,
    decision="take:grace",
)
"""The trial is over and the allowance huge; a thousand subjects, so that no purse is asked all the time."""

OPEN_TO_SUBJECTS = replace(
    TAKING_GRACE, name="paywall-open", title="paywall, open route", path="/bench", decision="forward:open"
)
"""The same requests to the open route of the same config."""
