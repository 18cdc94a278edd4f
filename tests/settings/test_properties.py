"""Whatever stands in a file, people get a config or a list of problems, nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.settings.json_schema import json_schema
from gateway.settings.load import Loaded, load_settings
from gateway.settings.pattern import check_pattern, covers
from gateway.settings.problem import ConfigProblems, Severity

BAD = Path(__file__).parent / "bad"
SCHEMA = jsonschema.Draft202012Validator(json_schema())
UNHURRIED = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

KEYS = [
    "listen", "admin", "upstream", "url", "store", "data", "secret", "env", "file", "trusted_proxies", "prefix",
    "identity", "trial", "length", "starts", "results_after_trial", "mode", "grace", "plans", "id", "name",
    "price", "gives", "payments", "sandbox", "teasers", "routes", "path", "class", "methods", "query", "answer",
    "attachment", "media_type", "holds", "ttl", "max_size", "canonical", "redirect", "offer", "reasons", "text",
    "log", "level", "body", "bodies", "graphql", "rpc", "tool", "field", "persisted", "operation", "share",
    "public_url", "<<", "",
]  # fmt: skip
TEXTS = [
    "127.0.0.1:8080", "http://localhost:3000", "embedded", "redis://x", "first-visit", "claim:x", "14d",
    "16MiB", "hold", "block", "1 result", "3.00 USD", "2 per 30d", "/a/{b}/**", "/**", "GET", "result", "open",
    "text/csv", "allowed", "*", "10.0.0.0/8", "json", "yes", "~", "\x00", "\ud800", "http://[", "/" * 600, "9" *
    5000, "²d", "٣d",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(TEXTS) | st.text(max_size=8)
KEY = st.sampled_from(KEYS) | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=5), max_leaves=25
)
BASE: dict[str, Any] = {
    "listen": "127.0.0.1:8080",
    "upstream": {"url": "http://localhost:3000", "read_timeout": "5m", "max_connections": 4},
    "identity": [{"visitor": {}}],
    "trial": {"length": "14d", "starts": "claim:x"},
    "results_after_trial": {"mode": "hold", "grace": "2 per 30d"},
    "plans": [{"id": "pro", "name": "Pro", "price": "3.00 USD", "gives": "30d"}],
    "trusted_proxies": ["10.0.0.0/8"],
    "routes": [
        {
            "path": "/a",
            "class": "result",
            "methods": ["GET"],
            "query": {"a": "*"},
            "answer": {"media_type": "text/csv"},
        },
        {"path": "/b", "class": "result", "body": {"kind": ["report", 7]}, "rpc": "export"},
        {"path": "/c", "class": "result", "tool": ["export"], "graphql": {"operation": "A", "field": ["b"]}},
        {"path": "/d", "class": "result", "graphql": ["A"], "name": "d"},
        {"path": "/**", "class": "open", "name": "rest"},
    ],
    "holds": {"ttl": "7d", "max_size": "1MiB"},
    "bodies": {"max_size": "64KiB"},
    "offer": {"name": "X", "reasons": [{"id": "other", "text": "Other"}]},
    "log": {"format": "text"},
}


def load(content: bytes, environ: dict[str, str] | None = None) -> Loaded | None:
    """The config, or None where it is refused; anything else that comes is a failure of the test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paywall.yaml"
        file.write_bytes(content)
        try:
            loaded = load_settings(file, environ=environ or {})
        except ConfigProblems as refused:
            assert refused.problems
            assert all(str(problem).isprintable() for problem in refused.problems)
            assert any(problem.severity is Severity.ERROR for problem in refused.problems)
            return None
        assert all(problem.severity is Severity.WARNING for problem in loaded.problems)
        return loaded


@UNHURRIED
@given(st.binary(max_size=300))
def test_random_bytes(content: bytes) -> None:
    load(content)


@UNHURRIED
@given(st.text(alphabet=" \n\t-:?[]{},#&*!|>'\"%@`abcdupstream:0123456789.~<=\\xuU\x85\u2028", max_size=200))
@example('{"\\ud800\\udc00": 1, "\\ud800": 1}')
@example("a: !!binary x")
@example("&a [*a]")
@example("%YAML 1.2\n%YAML 1.2\n---\na")
@example("? ? ? a")
@example('"\\UFFFFFFFF"')
@example("!<tag:yaml.org,2002:int> x: 0x")
@example("upstream: !!float abc")
@example("a: 0b\nb: 0o9\nc: 1__2\nd: -.INF\ne: +12e03")
def test_random_yaml_like_text(text: str) -> None:
    load(text.encode("utf-8"))


@UNHURRIED
@given(st.dictionaries(KEY, VALUES, max_size=8))
def test_random_structures(data: dict[str, Any]) -> None:
    load(json.dumps(data).encode())


@UNHURRIED
@given(st.sampled_from(sorted(BAD.glob("*.yaml"))), st.randoms(use_true_random=False))
def test_mangled_files(file: Path, random: Any) -> None:
    content = bytearray(file.read_bytes() or b"x")
    for _ in range(random.randint(1, 6)):
        content[random.randrange(len(content))] = random.choice(b" \n:-[]{}'\"&*#aA0\x00\xff")
    load(bytes(content))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a structure."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path, *(place for key, part in parts for place in leaves(part, (*path, key)))]


VARIABLES = st.sampled_from([f"PAYWALL__{key.upper()}" for key in KEYS]) | st.text().map("PAYWALL__{}".format)
PLACES = [place for place in leaves(BASE) if place]


@settings(UNHURRIED, max_examples=400)
@given(st.sampled_from(PLACES), VALUES, st.none() | KEY)
def test_what_the_schema_refuses_the_gateway_refuses(place: tuple[Any, ...], value: Any, key: str | None) -> None:
    """Editors must not mark as wrong what is right."""
    data = json.loads(json.dumps(BASE))
    holder = data
    for part in place[:-1]:
        holder = holder[part]
    if key is not None and isinstance(holder[place[-1]], dict):
        holder[place[-1]][key] = value
    else:
        holder[place[-1]] = value
    if load(json.dumps(data).encode()) is not None:
        SCHEMA.validate(json.loads(json.dumps(data)))


@UNHURRIED
@given(st.dictionaries(VARIABLES, st.sampled_from(TEXTS) | st.text(max_size=20), max_size=5))
def test_random_environment(environ: dict[str, str]) -> None:
    load(json.dumps(BASE).encode(), environ)


SEGMENT = st.sampled_from(["a", "b", "a.csv", "{x}", "{y}.csv", "a{z}", "**"])
PATTERN = st.lists(SEGMENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
PATHS = st.lists(st.sampled_from(["a", "b", "a.csv", "c.csv", "az", "q"]), max_size=5)


def matcher(pattern: str) -> Callable[[list[str]], bool]:
    """Matching spelled out, segment by segment: what `covers` speaks about."""

    def fits(parts: list[str], segments: list[str]) -> bool:
        if not parts:
            return not segments
        if parts[0] == "**":
            return fits(parts[1:], segments) or (bool(segments) and fits(parts, segments[1:]))
        return bool(segments) and fits_one(parts[0], segments[0]) and fits(parts[1:], segments[1:])

    def fits_one(part: str, segment: str) -> bool:
        if "{" not in part:
            return part == segment
        before, _, rest = part.partition("{")
        after = rest.partition("}")[2]
        enough = len(segment) > len(before) + len(after)
        return enough and segment.startswith(before) and segment.endswith(after)

    return lambda segments: fits(pattern[1:].split("/"), segments)


def distinct(pattern: str) -> str:
    """The pattern with every name used once."""
    pieces = pattern.split("{")
    return pieces[0] + "".join(f"{{n{number}{piece[1:]}" for number, piece in enumerate(pieces[1:]))


@settings(UNHURRIED, max_examples=500)
@given(PATTERN.map(distinct), PATTERN.map(distinct), st.lists(PATHS, min_size=5, max_size=20))
def test_covering_is_never_claimed_wrongly(general: str, special: str, paths: list[list[str]]) -> None:
    check_pattern(general)
    check_pattern(special)
    if covers(general, special):
        for path in paths:
            assert matcher(general)(path) or not matcher(special)(path)


@given(PATTERN.map(distinct))
def test_a_pattern_covers_itself(pattern: str) -> None:
    assert covers(pattern, pattern)
    assert covers("/**", pattern)


def test_many_wildcards_take_no_time() -> None:
    assert not covers("/**/a" * 30 + "/b", "/**/a" * 60)


@UNHURRIED
@given(st.lists(PATTERN.map(distinct), min_size=1, max_size=12))
def test_a_route_is_called_unreachable_exactly_when_an_earlier_one_covers_it(patterns: list[str]) -> None:
    # `wins` names who takes it all, for every route that has such a one before it among those that can be reached.
    reached: list[int] = []
    wins: dict[int, int] = {}
    for number, pattern in enumerate(patterns):
        winner = next((earlier for earlier in reached if covers(patterns[earlier], pattern)), None)
        if winner is None:
            reached.append(number)
        else:
            wins[number] = winner
    # One route per line, so that the lines of the file are their numbers.
    lines = [f'  - {{path: "{pattern}", class: open, name: r{number}}}' for number, pattern in enumerate(patterns)]
    text = "\n".join(['upstream: "http://localhost:3000"', "routes:", *lines])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paywall.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            problems = load_settings(file, environ={}).problems
        except ConfigProblems as found:
            problems = found.problems
    said = {problem.line: problem.message for problem in problems if "can never be reached" in problem.message}
    assert said.keys() == {number + 3 for number in wins}
    for number, winner in wins.items():
        assert f"'{patterns[winner]}' in line {winner + 3} takes" in said[number + 3]
