"""Settings of plugins get the same lines as all others."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from gateway.ports.fields import Duration, MoneyField, Secret, Settings
from gateway.settings.load import default_settings, load_settings
from gateway.settings.plugin_sections import CheckedPlugins, check_plugin_settings, missing_secrets


class Claim(Settings):
    """A part of a plugin's settings."""

    name: str
    kind: Literal["text", "date"] = "text"


class JwtSettings(Settings):
    """Settings with alternatives, lists and parts of their own."""

    sources: list[str] | str = "bearer"
    algorithms: list[Literal["RS256", "HS256"]]
    secret: Secret | None = None
    claims: dict[str, Claim] = Field(default_factory=dict)
    leeway: Duration | None = None
    fee: MoneyField | None = None
    former: list[Secret] = Field(default_factory=list)


class VisitorSettings(Settings):
    """Settings of a plugin that needs none."""


MODELS: dict[str, type[Settings]] = {"jwt": JwtSettings, "visitor": VisitorSettings}


def check(tmp_path: Path, identity: str) -> CheckedPlugins:
    file = tmp_path / "paywall.yaml"
    file.write_text("upstream: http://localhost:3000\nidentity:\n" + identity)
    return check_plugin_settings(load_settings(file, environ={}).plugins("identity"), MODELS)


def test_good_settings_come_back_in_order(tmp_path: Path) -> None:
    checked = check(
        tmp_path, "  - jwt: {sources: [bearer, cookie], algorithms: [HS256], leeway: 5s}\n  - visitor: {}\n"
    )
    assert checked.problems == ()
    assert [entry.name for entry, _ in checked.accepted] == ["jwt", "visitor"]
    jwt = checked.accepted[0][1]
    assert isinstance(jwt, JwtSettings) and jwt.leeway == 5_000 and jwt.sources == ["bearer", "cookie"]


def test_secrets_that_are_not_there_are_warned_of_alone_and_in_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", "something")
    ((entry, settings),) = check(
        tmp_path,
        """\
  - jwt:
      algorithms: [HS256]
      secret: {env: NOWHERE}
      former:
        - {env: HERE}
        - {file: /nowhere}
""",
    ).accepted
    assert [(problem.line, problem.key) for problem in missing_secrets(entry, settings)] == [
        (5, "identity[0].jwt.secret.env"), (8, "identity[0].jwt.former[1].file"),
    ]  # fmt: skip


def test_each_problem_has_its_line(tmp_path: Path) -> None:
    checked = check(
        tmp_path,
        """\
  - jwt:
      sources:
        - bearer
        - 7
      algoritms: [RS256]
      algorithms:
        - RS256
        - none
      secret: hunter2
      claims:
        plan:
          name: plan
          kind: dat
        other: {}
      leeway: 5
      fee: free
  - visiter: {}
  - visitor: {cookie: x}
""",
    )
    file = tmp_path / "paywall.yaml"
    assert [str(problem).removeprefix(str(file)) for problem in checked.problems] == [
        ":6: identity[0].jwt.sources[1]: must be text, not a number: put it into quotes",
        ":10: identity[0].jwt.algorithms[1]: must be 'RS256' or 'HS256', not 'none'",
        ":11: identity[0].jwt.secret: must be a secret by reference: write {env: NAME} or {file: PATH}",
        ":15: identity[0].jwt.claims.plan.kind: must be 'text' or 'date', not 'dat', did you mean 'date'?",
        ":16: identity[0].jwt.claims.other.name: is missing.",
        ":17: identity[0].jwt.leeway: '5' is not a duration: write it like 90s, 15m, 24h or 14d",
        ":18: identity[0].jwt.fee: 'free' is not an amount: write it like 19.00 USD",
        ":7: identity[0].jwt.algoritms: unknown key, did you mean 'algorithms'?",
        ":19: identity[1].visiter: there is no such plugin for `identity`: did you mean 'visitor'?",
        ":20: identity[2].visitor.cookie: unknown key; known here: none",
    ]
    assert checked.accepted == ()


def test_alternatives_are_one_problem(tmp_path: Path) -> None:
    checked = check(tmp_path, "  - jwt: {sources: {a: b}, algorithms: [RS256]}\n")
    [problem] = checked.problems
    assert problem.key == "identity[0].jwt.sources"
    assert problem.message.startswith("must be a list, not a mapping: ") and "must be text" in problem.message


def test_without_a_file() -> None:
    entries = default_settings("http://localhost:3000", environ={}).plugins("identity")
    assert [entry.name for entry in entries] == ["visitor"]
    checked = check_plugin_settings(entries, {"jwt": JwtSettings})
    assert [str(problem) for problem in checked.problems] == [
        "the settings: identity[0].visitor: there is no such plugin for `identity`: installed: jwt"
    ]
