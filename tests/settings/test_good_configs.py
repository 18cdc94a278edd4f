"""The samples, the config of the contract, and the policies that come of them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gateway.core.money import Money
from gateway.core.quantity import DAY, Allowance
from gateway.core.rule import (
    BodyCondition,
    FieldCondition,
    GraphqlCondition,
    Mode,
    Policy,
    RouteClass,
    StoreFailure,
    TrialStart,
)
from gateway.extend.catalogue import settings_models
from gateway.settings.document import read_document
from gateway.settings.init import commented_config
from gateway.settings.json_schema import json_schema
from gateway.settings.load import Loaded, PluginKind, default_settings, load_settings
from gateway.settings.overlay import Override
from gateway.settings.plugin_sections import check_plugin_settings
from gateway.settings.policy import DECLARED_RESULT, build_policy
from gateway.settings.problem import ConfigProblems, Severity
from gateway.settings.schema import DOCUMENT_MEDIA_TYPES

ROOT = Path(__file__).parents[2]
SAMPLES = [ROOT / "config/paywall.yaml", *sorted((ROOT / "config/examples").glob("*.yaml"))]
PLUGIN_GROUPS: dict[PluginKind, str] = {"identity": "identity", "payments": "payment", "teasers": "teaser"}
GOOD = Path(__file__).parent / "good"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAYWALL_SECRET", "PAYWALL_SECRET_OF_2025", "FACILITATOR_TOKEN", "LND_MACAROON"):
        monkeypatch.setenv(name, "0123456789abcdef0123456789abcdef")


def load_text(tmp_path: Path, text: str, **more: Any) -> Loaded:
    file = tmp_path / "paywall.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, **{"environ": {}, **more})


def warnings_of(loaded: Loaded) -> list[str]:
    assert all(problem.severity is Severity.WARNING for problem in loaded.problems)
    return [problem.message for problem in loaded.problems]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_sample_loads(sample: Path) -> None:
    loaded = load_settings(sample, environ={})
    expected = {"zero": ["results are withheld after the trial and there is nothing to buy: add `plans`"]}
    sandbox = ["whoever comes can pay with play money: remove it before real clients come"]
    assert warnings_of(loaded) == expected.get(sample.stem, sandbox)


@pytest.mark.parametrize("sample", [*SAMPLES, GOOD / "contract.yaml"], ids=lambda path: path.stem)
def test_plugins_of_samples_hold(sample: Path) -> None:
    """The samples fit the plugins that come with the gateway, and so does their JSON Schema."""
    models = {kind: settings_models(group) for kind, group in PLUGIN_GROUPS.items()}
    loaded = load_settings(sample, environ={})
    for kind, known in models.items():
        assert [str(problem) for problem in check_plugin_settings(loaded.plugins(kind), known).problems] == []
    data = read_document(str(sample), sample.read_text()).data
    jsonschema.Draft202012Validator(json_schema(models)).validate(data)


@pytest.mark.parametrize("case", sorted(GOOD.glob("*.yaml")), ids=lambda path: path.stem)
def test_policy_golden(case: Path) -> None:
    """A new case is a new `.yaml` with the policy that comes of it in a `.json`."""
    loaded = load_settings(case, environ={})
    assert as_json(build_policy(loaded.settings, loaded.route_lines)) == json.loads(
        case.with_suffix(".json").read_text()
    )


def as_json(policy: Policy) -> Any:
    plain = asdict(policy)
    return json.loads(json.dumps(plain, default=lambda value: sorted(value)))


def test_contract(tmp_path: Path) -> None:
    """The config of the public contract, word for word but for what is not yet supported."""
    loaded = load_settings(GOOD / "contract.yaml", environ={})
    settings, policy = loaded.settings, build_policy(loaded.settings, loaded.route_lines)
    assert str(settings.listen) == "127.0.0.1:8080"
    assert settings.admin is not None and settings.admin.listen.port == 8081
    assert str(settings.upstream.url) == "http://localhost:3000"
    assert settings.upstream.connect_timeout == 5_000
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32"]
    assert [entry.name for entry in loaded.plugins("identity")] == ["jwt", "api_key", "header", "visitor"]
    assert loaded.plugins("identity")[1].settings == {"from": "header:x-api-key"}
    assert policy.trial.length_ms == 14 * DAY and policy.trial.starts is TrialStart.FIRST_VISIT
    assert [plan.price for plan in policy.plans] == [Money(300, "USD"), Money(1900, "USD")]
    assert [(plan.results, plan.period_ms) for plan in policy.plans] == [(1, 0), (0, 30 * DAY)]
    assert [rule.route_class.value for rule in policy.rules] == [
        "exempt",
        "result",
        "result",
        "action",
        "result",
        "open",
    ]
    assert [rule.line for rule in policy.rules] == [27, 28, 29, 30, 31, 32]
    assert policy.rules[2].mode is Mode.BLOCK
    assert policy.rules[2].body == BodyCondition((FieldCondition(("operationName",), ("ExportReport",)),))
    assert policy.rules[1].methods == {"GET", "POST"}


def test_zero() -> None:
    """One line is a whole config, and `paywall run --upstream` is the same without a file."""
    loaded = load_settings(ROOT / "config/examples/zero.yaml", environ={})
    by_option = default_settings("http://localhost:3000", environ={})
    assert loaded.settings == by_option.settings
    documents, rest = build_policy(by_option.settings).rules
    assert documents.answer is not None and documents.answer.attachment and documents.answer.declared
    assert documents.answer.media_types == set(DOCUMENT_MEDIA_TYPES)
    assert documents.path == "/**" and documents.route_class is RouteClass.RESULT and documents.mode is Mode.HOLD
    assert (rest.path, rest.route_class) == ("/**", RouteClass.OPEN)
    assert {"application/pdf", "text/csv", "application/zip", "application/epub+zip"} <= documents.answer.media_types


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.com:443/", "https://app.example.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://10.0.0.1:8443/", "https://10.0.0.1:8443"),
    ],
)
def test_the_public_url_is_read_as_browsers_write_an_origin(tmp_path: Path, text: str, origin: str) -> None:
    loaded = load_text(tmp_path, f"upstream: http://localhost:3000\npublic_url: {json.dumps(text)}\n")
    assert loaded.settings.public_url == origin
    jsonschema.Draft202012Validator(json_schema()).validate({"upstream": "http://a", "public_url": text})


def test_default_options_win() -> None:
    variables = {"PAYWALL__LISTEN": "127.0.0.1:1", "PAYWALL__TRIAL__LENGTH": "3d"}
    loaded = default_settings("http://app:1", listen="0.0.0.0:9", store="embedded", environ=variables)
    assert str(loaded.settings.listen) == "0.0.0.0:9"
    assert loaded.settings.trial.length == 3 * DAY
    assert loaded.route_lines == (0, 0)


def test_default_names_the_option() -> None:
    with pytest.raises(ConfigProblems) as caught:
        default_settings("localhost", listen="nowhere", environ={"PAYWALL__STORE": "mysql://x"})
    assert sorted(str(problem).split(":")[0] for problem in caught.value.problems) == [
        "--listen",
        "--upstream",
        "PAYWALL__STORE",
    ]


def test_init_writes_a_config_that_loads(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, commented_config("http://localhost:5000/"))
    assert warnings_of(loaded) == ["whoever comes can pay with play money: remove it before real clients come"]
    assert loaded.settings.upstream.addresses[0].port == 5000


def test_init_explains_each_key() -> None:
    lines = commented_config("http://localhost:5000").splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith((" ", "#")) and line != "sandbox: allowed":
            assert lines[number - 1].lstrip().startswith("#"), f"nothing explains {line!r}"


@pytest.mark.parametrize("address", ["localhost:3000", 'http://x"\nstore: evil', "http://x/path", ""])
def test_init_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        commented_config(address)


def test_grace_has_its_own_purse_only_where_a_route_sets_it(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        """
upstream: http://localhost:3000
results_after_trial: {mode: preview, grace: 2 per 30d}
routes:
  - {path: /a, class: result, name: a}
  - {path: /b, class: result, name: b, grace: 1, mode: hold, on_store_failure: allow, price: 3 JPY}
  - {path: /c, class: open}
""",
    )
    a, b, c = build_policy(loaded.settings).rules
    assert (a.grace, a.grace_scope, a.mode) == (Allowance(2, 30 * DAY), "", Mode.PREVIEW)
    assert (b.grace, b.grace_scope, b.mode) == (Allowance(1, 0), "b", Mode.HOLD)
    assert (b.price, b.on_store_failure) == (Money(3, "JPY"), StoreFailure.ALLOW)
    assert (c.grace, c.grace_scope) == (Allowance(0, 0), "")


def test_what_the_application_declares_is_held_where_results_are_blocked(tmp_path: Path) -> None:
    for written, expected in (("hold", Mode.HOLD), ("block", Mode.HOLD), ("preview", Mode.PREVIEW)):
        text = f"upstream: http://localhost:3000\nresults_after_trial: {{mode: {written}, grace: 1}}\n"
        text += "routes: [{path: /a, class: result}]\n"
        rule = build_policy(load_text(tmp_path, text).settings).default_result
        assert (rule.mode, rule.name, rule.route_class) == (expected, DECLARED_RESULT, RouteClass.RESULT)
        assert rule.grace == Allowance(1, 0)


def test_names_of_routes_are_readable_unique_and_stable(tmp_path: Path) -> None:
    routes = """
  - {path: "/api/reports/{id}/export", methods: [POST], class: result}
  - {path: "/api/reports/{id}/export", methods: [GET], class: result}
  - {path: "/reports/{id}.pdf", class: result}
  - {path: "/отчёты", class: result}
  - {path: "/x", class: open, name: reports-id-pdf}
  - {path: "/", class: open}
  - {path: "/files/**", class: result, query: {a: "1"}}
  - {path: "/files/**", class: result, query: {b: "*"}}
"""
    loaded = load_text(tmp_path, "upstream: http://localhost:3000\nroutes:" + routes)
    assert [rule.name for rule in build_policy(loaded.settings).rules] == [
        "api-reports-id-export-post",
        "api-reports-id-export-get",
        "reports-id-pdf-2",
        "root",
        "reports-id-pdf",
        "root-2",
        "files-all",
        "files-all-2",
    ]
    more = load_text(tmp_path, "upstream: http://localhost:3000\nroutes:\n  - {path: /new, class: open}" + routes)
    assert [rule.name for rule in build_policy(more.settings).rules][1:] == [
        rule.name for rule in build_policy(loaded.settings).rules
    ]


def test_query_conditions(tmp_path: Path) -> None:
    text = 'upstream: http://localhost:3000\nroutes: [{path: /a, class: result, query: {format: csv, token: "*"}}]\n'
    assert build_policy(load_text(tmp_path, text).settings).rules[0].query == (("format", "csv"), ("token", None))


def test_body_conditions(tmp_path: Path) -> None:
    text = """
upstream: http://localhost:3000
routes:
  - {path: /a, class: result, body: {kind: [report, 7, 1.5, true], filter.type: x}}
  - {path: /b, class: result, graphql: ExportReport}
  - {path: /c, class: result, graphql: [ExportReport, ExportAll]}
  - {path: /d, class: result, graphql: {operation: A, field: [a, b], persisted: abc}}
  - {path: /e, class: result, rpc: [export, "tools/call"], tool: export_report}
  - {path: /f, class: result}
"""
    conditions = [rule.body for rule in build_policy(load_text(tmp_path, text).settings).rules]
    method = FieldCondition(("method",), ("export", "tools/call"))
    call = FieldCondition(("method",), ("tools/call",)), FieldCondition(("params", "name"), ("export_report",))
    assert conditions == [
        BodyCondition(
            (FieldCondition(("kind",), ("report", 7, 1.5, True)), FieldCondition(("filter", "type"), ("x",)))
        ),
        BodyCondition(graphql=GraphqlCondition(frozenset({"ExportReport"}))),
        BodyCondition(graphql=GraphqlCondition(frozenset({"ExportReport", "ExportAll"}))),
        BodyCondition(graphql=GraphqlCondition(frozenset({"A"}), frozenset({"a", "b"}), frozenset({"abc"}))),
        BodyCondition((method, *call)),
        None,
    ]
    assert [type(value) for value in conditions[0].fields[0].values] == [str, int, float, bool]  # type: ignore[union-attr]


GRAPHQL_BY_NAME = "whoever writes the query can call it otherwise: name what yields the result as `field`, too"
GRAPHQL_OPEN = "whoever writes the query can call anything so: name what may be asked for as `field` instead"


@pytest.mark.parametrize(
    ("route", "warnings"),
    [
        ("graphql: ExportReport, class: result", [GRAPHQL_BY_NAME]),
        ("graphql: Ping, class: open", [GRAPHQL_OPEN]),
        ("graphql: {operation: A, field: b}, class: result", []),
        ("graphql: {persisted: b}, class: open", []),
        ("graphql: {field: b}, methods: [POST, GET], class: result", []),
        (
            "graphql: {field: b}, methods: [POST], class: result",
            ["the same can be asked for by GET: add it, or leave `methods` out"],
        ),
        (
            "graphql: {field: b}, methods: [PUT], class: result",
            ["the same can be asked for by GET and POST: add it, or leave `methods` out"],
        ),
        ("graphql: {field: b}, methods: [POST], class: open", []),
        (
            "body: {operationName: A}, class: result",
            [
                "a query can be sent without `operationName`: name what it runs, "
                "`graphql: {operation: ExportReport, field: exportReport}`"
            ],
        ),
        (
            "rpc: a, methods: [GET], class: result",
            ["is about the body, which a GET has not: add POST to `methods`, or write it as `query`"],
        ),
        ("tool: a, methods: [GET, POST], class: result", []),
        ("body: {a: 1}, class: action", []),
    ],
)
def test_conditions_on_the_body_that_are_easily_got_around_are_warned_of(
    tmp_path: Path, route: str, warnings: list[str]
) -> None:
    text = "upstream: http://localhost:3000\nplans: [{id: p, name: P, price: 1.00 USD, gives: 1d}]\npayments: [x: {}]\n"
    text += f"routes:\n  - {{path: /a, {route}}}\n  - {{path: /b, class: result}}\n"
    assert warnings_of(load_text(tmp_path, text)) == warnings


def test_limits_reach_the_policy(tmp_path: Path) -> None:
    text = """
upstream: http://localhost:3000
holds: {ttl: 1d, max_size: 1MiB, max_count: 3, max_total: 5MB, max_wait: 1s, reuse: 0s}
bodies: {max_size: 128KiB}
canonical: {redirect: false, allow_encoded_slash: true}
trial: {length: 1h, starts: "claim:created_at"}
"""
    policy = build_policy(load_text(tmp_path, text).settings)
    assert asdict(policy.hold_limits) == {
        "ttl_ms": DAY,
        "max_size": 2**20,
        "max_count": 3,
        "max_total": 5_000_000,
        "max_wait_ms": 1_000,
        "reuse_ms": 0,
    }
    assert policy.body_limit == 131_072
    assert (policy.canonical_redirect, policy.allow_encoded_slash) == (False, True)
    assert (policy.trial.starts, policy.trial.claim) == (TrialStart.CLAIM, "created_at")


ALLOWED = [
    "upstream: https://app.internal",
    "upstream: unix:/run/app.sock",
    "upstream: unix:///run/app.sock",
    'upstream: "http://[::1]:3000"',
    "{upstream: 'http://app:3000', listen: '[::]:8080'}",
    "{upstream: 'http://app:3000', listen: 'localhost:0', admin: {listen: 'localhost:0'}}",
    "{upstream: 'http://app:8080', listen: '0.0.0.0:8080'}",
    "{upstream: 'http://app:3000', store: 'rediss://redis.internal:6380/1', secret: {env: PAYWALL_SECRET}}",
    "{upstream: 'http://app:3000', store: 'unix:///run/redis.sock', secret: {env: PAYWALL_SECRET}}",
    "{upstream: 'http://app:3000', store: 'redis+sentinel://a:26379,b:26379/main', secret: {env: PAYWALL_SECRET}}",
    "{upstream: 'http://app:3000', store: 'redis+cluster://a:6379', secret: {env: PAYWALL_SECRET}}",
    "{upstream: 'http://app:3000', trusted_proxies: [127.0.0.1, '::1', 10.0.0.0/8], identity: [header: {name: x}]}",
    "{upstream: 'http://app:3000', results_after_trial: {grace: 0}}",
    "{upstream: 'http://app:3000', routes: [{path: /a, class: result, answer: {}}, {path: /a, class: open}]}",
    "{upstream: 'http://app:3000', routes: [{path: '/**', methods: [GET], class: open}, {path: /a, class: result}]}",
    "{upstream: 'http://app:3000', routes: [{path: '/{a}.csv', class: open}, {path: '/{a}', class: result}]}",
    "{upstream: 'http://app:3000', routes: [{path: '/a/{b}/c', class: open}, {path: '/a/**', class: result}]}",
    "{upstream: 'http://app:3000', routes: [{path: /a, query: {x: '1'}, class: open}, {path: /a, class: result}]}",
    "{upstream: 'http://app:3000', routes: [{path: /, rpc: a, class: open}, {path: /, rpc: a, class: result}]}",
    "{upstream: 'http://app:3000', routes: [{path: /a, rpc: a, class: open}, {path: /a, rpc: [a, b], class: open}]}",
    "{upstream: 'http://a:1', routes: [{path: /, body: {x: 1}, class: open}, {path: /, body: {x: true}, class: open}]}",
    "{upstream: 'http://app:3000', routes: [{path: /a, graphql: {field: a}, class: open}, {path: /a, class: result}]}",
    "{upstream: 'http://app:3000', prefix: /pay, routes: [{path: /payments, class: result}]}",
    "&anchor {upstream: &u 'http://app:3000', offer: {name: *u}}",
    "\ufeffupstream: http://localhost:3000",
    "%YAML 1.2\n---\nupstream: http://localhost:3000\n...\n",
]


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed_forms(tmp_path: Path, text: str) -> None:
    warnings_of(load_text(tmp_path, text))


def test_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    text = "upstream: http://file:1\nroutes:\n  - {path: /a, class: result}\n  - {path: /b, class: result}\n"
    variables = {
        "PAYWALL__UPSTREAM__URL": "http://variable:2",
        "PAYWALL__UPSTREAM__READ_TIMEOUT": "5m",
        "PAYWALL__TRUSTED_PROXIES": "[10.0.0.0/8, 127.0.0.1]",
        "PAYWALL__ROUTES__1__MODE": "preview",
        "PAYWALL__OFFER__NAME": "2024: a year",
        "PAYWALL__OFFER__CONTACT": "",
        "PAYWALL__CANONICAL__REDIRECT": "false",
        "PAYWALL__HOLDS__MAX_COUNT": "7",
        "PAYWALL_SECRET": "not one of them",
    }
    loaded = load_text(tmp_path, text, environ=variables)
    settings = loaded.settings
    assert str(settings.upstream.url) == "http://variable:2" and settings.upstream.read_timeout == 300_000
    assert len(settings.trusted_proxies) == 2
    assert [route.mode for route in settings.routes] == [None, Mode.PREVIEW]
    assert settings.offer.name == "2024: a year"
    assert (settings.canonical.redirect, settings.holds.max_count) == (False, 7)
    assert loaded.route_lines == (3, 4)
    option = Override("--upstream", ("upstream", "url"), "http://option:3")
    assert (
        str(load_text(tmp_path, text, environ=variables, overrides=[option]).settings.upstream.url) == "http://option:3"
    )


def test_several_addresses_of_any_kind_keep_their_order(tmp_path: Path) -> None:
    urls = ["unix:/run/app.sock", "https://b.internal", "http://a.internal:3000"]
    loaded = load_text(tmp_path, json.dumps({"upstream": {"urls": urls}}))
    assert [str(address) for address in loaded.settings.upstream.addresses] == [
        "unix:/run/app.sock", "https://b.internal:443", "http://a.internal:3000",
    ]  # fmt: skip
    one = load_text(tmp_path, "upstream: http://localhost:3000\n").settings.upstream
    assert [str(address) for address in one.addresses] == ["http://localhost:3000"]


@pytest.mark.parametrize(
    ("text", "variables", "option", "addresses"),
    [
        ("upstream: {urls: [http://a, http://b]}", {"PAYWALL__UPSTREAM__URL": "http://c"}, None, ["http://c:80"]),
        ("upstream: http://a", {"PAYWALL__UPSTREAM__URLS": "[http://b, http://c]"}, None, ["http://b:80", "http://c:80"]),
        ("upstream: {urls: [http://a, http://b]}", {"PAYWALL__UPSTREAM__URLS__1": "http://c"}, None,
         ["http://a:80", "http://c:80"]),
        ("upstream: {urls: [http://a, http://b]}", {}, "http://d", ["http://d:80"]),
        ("upstream: http://a", {"PAYWALL__UPSTREAM__URLS": "[http://b, http://c]"}, "http://d", ["http://d:80"]),
    ],
)  # fmt: skip
def test_an_application_from_outside_replaces_several_in_the_file_and_the_reverse(
    tmp_path: Path, text: str, variables: dict[str, str], option: str | None, addresses: list[str]
) -> None:
    options = [Override("--upstream", ("upstream", "url"), option)] if option else []
    upstream = load_text(tmp_path, text + "\n", environ=variables, overrides=options).settings.upstream
    assert [str(address) for address in upstream.addresses] == addresses


def test_a_number_in_the_environment_is_text_where_text_is_meant(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, "upstream: http://localhost:1\n", environ={"PAYWALL__OFFER__NAME": "2024"})
    assert loaded.settings.offer.name == "2024"


def test_warnings_name_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYWALL_SECRET")
    text = """\
upstream: http://localhost:3000
secret: {env: PAYWALL_SECRET}
store: redis://:hunter2@localhost:6379
trusted_proxies: [0.0.0.0/0]
routes:
  - {path: /a, class: open, grace: 1}
"""
    loaded = load_text(tmp_path, text)
    assert [(problem.line, problem.key) for problem in loaded.problems] == [
        (2, "secret.env"),
        (3, "store"),
        (4, "trusted_proxies[0]"),
        (5, "routes"),
        (6, "routes[0].grace"),
    ]
    assert all(": warning: " in str(problem) and "hunter2" not in str(problem) for problem in loaded.problems)


def test_a_secret_never_shows(tmp_path: Path) -> None:
    store = {"PAYWALL__STORE": "redis://:hunter2@localhost"}
    loaded = load_text(tmp_path, "upstream: http://localhost:3000\nsecret: {env: PAYWALL_SECRET}\n", environ=store)
    assert loaded.settings.store == "redis://:hunter2@localhost"
    assert "0123456789abcdef" not in repr(loaded) and "hunter2" not in repr(loaded)


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load_text(tmp_path, "upstream: http://localhost:3000").settings
    with pytest.raises(ValueError, match="frozen"):
        settings.prefix = "/x"


def test_more_workers_than_cores_are_worth_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    text = "upstream: http://localhost:3000\nworkers: {}\n"
    assert load_text(tmp_path, text.format(2)).problems == load_text(tmp_path, text.format(1)).problems
    more = load_text(tmp_path, text.format(3))
    assert "3 workers share 2 cores here: one for each core is enough" in warnings_of(more)
    assert more.settings.workers == 3


def test_a_folder_of_a_framework_is_noticed(tmp_path: Path) -> None:
    text = (
        'upstream: "http://127.0.0.1:9"\nsandbox: allowed\npayments: [{sandbox: {}}]\n'
        "plans: [{id: one, name: One, price: 1.00 USD, gives: 1 result}]\nroutes:\n"
        '  - {path: "/_next/static/**", class: exempt}\n  - {path: /report, class: result}\n'
    )
    (told,) = [warning for warning in warnings_of(load_text(tmp_path, text)) if "nextjs" in warning]
    assert "add `frameworks: [nextjs]`" in told
    named = load_text(tmp_path, text + "frameworks: [nextjs, rails]\n")
    assert not any("nextjs" in warning for warning in warnings_of(named))
    assert [str(framework) for framework in named.settings.frameworks] == ["nextjs", "rails"]


def test_settings_of_a_storage_that_is_not_there_are_warned_of(tmp_path: Path) -> None:
    text = "upstream: http://localhost:3000\nholds: {max_stored: 1GiB, large: 2MiB}\n"
    said = [str(problem) for problem in load_text(tmp_path, text).problems if "holds" in problem.key]
    assert [line.partition("yaml:")[2] for line in said] == [
        "2: holds.large: warning: has no effect while all is kept in the store: add `storage`",
        "2: holds.max_stored: warning: has no effect while all is kept in the store: add `storage`",
    ]


def test_the_storage_of_the_store_needs_no_plugin(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, "upstream: http://localhost:3000\nholds: {storage: store}\n")
    assert loaded.plugins("storage") == ()


FREE = """upstream: http://localhost:3000
identity: [{identity}]
plans: [{{id: free, name: Free, price: 0 USD, gives: 7d}}]
routes: [{{path: "/**", class: result}}]
"""


def test_a_plan_that_costs_nothing_needs_no_way_to_pay(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, FREE.format(identity="api_key: {from: 'header:x-api-key'}"))
    assert warnings_of(loaded) == []
    (plan,) = build_policy(loaded.settings).plans
    assert plan.is_free


def test_a_plan_that_costs_nothing_is_not_for_visitors(tmp_path: Path) -> None:
    """A cookie is all that they are known by: the next one would take it again."""
    (warning,) = warnings_of(load_text(tmp_path, FREE.format(identity="visitor: {}")))
    assert "is for those who are known, not for visitors" in warning
