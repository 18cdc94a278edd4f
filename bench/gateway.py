"""The gateway's own rows. Where its command is missing or fails, they say so and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt

from bench.candidate import Candidate, Site
from bench.processes import Command

_SECRET = "a secret for nothing but this benchmark"
_FRUITLESS_RULES = 98

_CONFIG = """
admin: {{listen: "127.0.0.1:{admin_port}"}}
upstream: {{url: "http://127.0.0.1:{upstream_port}"}}
store: embedded
sandbox: allowed

identity:
{identity}

trial: {{length: 14d, starts: first-visit}}
results_after_trial: {{mode: hold, grace: 2 per 30d}}

plans:
  - {{id: pro, name: Pro, price: 19.00 USD, gives: 30d}}
payments:
  - sandbox: {{}}

routes:
{routes}
"""

_VISITOR = "  - visitor: {}"
_TOKEN = "  - jwt: {from: [bearer], secret: {env: BENCH_JWT_SECRET}, algorithms: [HS256], subject: sub}"

_TEN_RULES = """
  - {path: "/login/**", class: exempt}
  - {path: "/assets/**", class: exempt}
  - {path: "/billing/**", class: exempt}
  - {path: "/account/export", class: exempt}
  - {path: "/api/reports/{id}/export", methods: [GET, POST], class: result, name: export-report}
  - {path: "/api/invoices/{id}/pdf", methods: [GET], class: result, name: invoice-file}
  - {path: "/api/graphql", methods: [POST], class: result, mode: block}
  - {path: "/projects", methods: [POST], class: action, name: create-project}
  - {path: "/files/**", answer: {attachment: true, media_type: [application/pdf, text/csv]}, class: result}
  - {path: "/**", class: open}
""".strip("\n")


def _hundred_rules() -> str:
    # The first match wins and none of these match, so that every request pays for all of them.
    fruitless = [
        f'  - {{path: "/api/area-{number}/{{id}}/pdf", methods: [GET], class: result, name: result-{number}}}'
        for number in range(_FRUITLESS_RULES)
    ]
    matching = ['  - {path: "/results/**", class: result, name: results}', '  - {path: "/**", class: open}']
    return "\n".join([*fruitless, *matching])


def _bearer() -> str:
    now = int(time.time())
    claims = {"sub": "bench-subject", "iat": now, "exp": now + 24 * 3600}
    return "authorization: Bearer " + jwt.encode(claims, _SECRET, algorithm="HS256")


def _run(site: Site, identity: str, routes: str) -> Command:
    config = site.folder / "paywall.yaml"
    config.write_text(
        _CONFIG.format(admin_port=site.spare_port, upstream_port=site.upstream_port, identity=identity, routes=routes)
    )
    arguments = ("run", "--config", str(config), "--listen", f"127.0.0.1:{site.port}", "--store", "embedded")
    return Command((site.program, *arguments), {"BENCH_JWT_SECRET": _SECRET})


def _open(site: Site) -> Command:
    return _run(site, _VISITOR, _TEN_RULES)


def _token(site: Site) -> Command:
    return _run(site, _TOKEN, _hundred_rules())


def _zero_config(site: Site) -> Command:
    upstream = f"http://127.0.0.1:{site.upstream_port}"
    return Command((site.program, "run", "--upstream", upstream, "--listen", f"127.0.0.1:{site.port}"))


def _candidate(
    name: str,
    title: str,
    prepare: Callable[[Site], Command],
    path: str = "/bench",
    headers: tuple[str, ...] = (),
) -> Candidate:
    return Candidate(
        name=name,
        title=title,
        program="paywall",
        install="install this project into the environment of this Python (pip install -e .)",
        version_arguments=("--version",),
        prepare=prepare,
        path=path,
        headers=headers,
        # The environment of this Python often lies in a home that another user may not enter.
        drop_privileges=False,
    )


def gateway_candidates() -> tuple[Candidate, ...]:
    """The gateway in four settings; the token in two of them is good for a day from now."""
    bearer = (_bearer(),)
    return (
        _candidate("paywall-open", "paywall, open route", _open),
        _candidate("paywall-jwt", "paywall, JWT, 100 rules, open", _token, "/bench", bearer),
        _candidate("paywall-trial", "paywall, JWT, 100 rules, result in trial", _token, "/results/bench", bearer),
        _candidate("paywall-zero", "paywall, zero-config", _zero_config),
    )
