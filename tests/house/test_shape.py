"""Files and functions stay short, imports make no circles, the core has no clock, Lua verbs say what they do."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from .tree import ROOT, files, imports, module_name, parsed, place, sources

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
CLOCKS = {"now", "utcnow", "today"}


def long_file(text: str) -> list[str]:
    lines = text.count("\n")
    return [f"{lines} lines; under {LONGEST_FILE} are allowed"] if lines >= LONGEST_FILE else []


def long_functions(tree: ast.Module) -> list[str]:
    return [
        f"{node.lineno}: {node.name} has {length} lines; under {LONGEST_FUNCTION} are allowed"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) >= LONGEST_FUNCTION
    ]


def type_checking_tricks(tree: ast.Module) -> list[str]:
    return [
        f"{node.lineno}: TYPE_CHECKING hides a circle: move what both sides need a floor down"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING")
        or (isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING")
    ]


def relative_imports(tree: ast.Module) -> list[str]:
    return [
        f"{node.lineno}: a relative import; write the whole name"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]


def circle(modules: Mapping[str, ast.Module]) -> list[str]:
    """The modules of one circle of imports, imports inside functions counted; empty when there is none."""
    graph = {
        name: {target for target, _ in imports(tree) if target in modules and target != name}
        for name, tree in modules.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def impurities(tree: ast.Module) -> Iterator[str]:
    """What makes a module of the core more than words and rules."""
    for name, line in imports(tree):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and name != "gateway" and not name.startswith("gateway.core"):
            yield f"{line}: imports {name}; the core is standard library only"
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"{node.lineno}: waits; the core has no I/O"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{node.lineno}: reads the clock; take the instant as an argument"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print"}:
            yield f"{node.lineno}: {node.func.id}() is I/O"


def lua_without_header(text: str) -> list[str]:
    first = text.lstrip("\n").partition("\n")[0]
    if first.startswith("#!"):
        first = text.lstrip("\n").split("\n", 2)[1]
    return [] if first.startswith("--") and len(first) > 10 else ["1: begins without a comment that says what it does"]


def complaints(paths: Iterable[Path], guard: Callable[[ast.Module], Iterable[str]]) -> list[str]:
    """What a guard says about each Python file."""
    return [f"{place(path)}:{complaint}" for path in paths for complaint in guard(parsed(path))]


def test_files_are_short() -> None:
    found = [f"{place(path)}: {said}" for path in sources() for said in long_file(path.read_text(encoding="utf-8"))]
    assert not found


def test_a_long_file_is_noticed() -> None:
    assert long_file("\n" * LONGEST_FILE)
    assert not long_file("\n" * (LONGEST_FILE - 1))


def test_functions_are_short() -> None:
    assert not complaints(sources(), long_functions)


def test_a_long_function_is_noticed() -> None:
    body = "    pass\n" * (LONGEST_FUNCTION - 1)
    assert long_functions(ast.parse("class A:\n async def f():\n" + body)) == [
        f"2: f has {LONGEST_FUNCTION} lines; under {LONGEST_FUNCTION} are allowed"
    ]
    assert not long_functions(ast.parse("def f():\n" + body[: -len("    pass\n")]))


def test_nothing_hides_behind_type_checking() -> None:
    assert not complaints(sources(), type_checking_tricks)


def test_type_checking_is_noticed() -> None:
    assert type_checking_tricks(ast.parse("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a"))
    assert type_checking_tricks(ast.parse("import typing\nif typing.TYPE_CHECKING:\n    import a"))


def test_imports_give_the_whole_name() -> None:
    assert not complaints(sources(), relative_imports)


def test_a_relative_import_is_noticed() -> None:
    assert relative_imports(ast.parse("from . import money"))
    assert relative_imports(ast.parse("from ..core import money"))


def test_imports_make_no_circle() -> None:
    assert not circle({module_name(path): parsed(path) for path in sources()})


def test_a_circle_is_noticed_even_inside_a_function() -> None:
    house = {
        "gateway.a": ast.parse("from gateway import b"),
        "gateway.b": ast.parse("def f():\n    import gateway.c"),
        "gateway.c": ast.parse("from gateway.a import A"),
    }
    assert set(circle(house)) == {"gateway.a", "gateway.b", "gateway.c"}
    assert not circle({"gateway.a": house["gateway.a"], "gateway.b": house["gateway.b"]})


def test_the_core_is_pure() -> None:
    core = tuple(path for path in sources() if path.is_relative_to(ROOT / "gateway" / "core"))
    assert core
    assert not complaints(core, impurities)


def test_an_impure_core_is_noticed() -> None:
    for bad in (
        "import pydantic",
        "from gateway.ports import state",
        "async def f(): ...",
        "import datetime\nx = datetime.datetime.now()",
        "x = open('f')",
    ):
        assert list(impurities(ast.parse(bad))), bad
    assert not list(impurities(ast.parse("from gateway.core.money import Money\nimport dataclasses")))


def test_every_lua_script_says_what_it_does() -> None:
    scripts = [path for path in files() if path.suffix == ".lua"]
    found = [f"{place(path)}:{said}" for path in scripts for said in lua_without_header(path.read_text("utf-8"))]
    assert not found


def test_a_silent_lua_script_is_noticed() -> None:
    assert lua_without_header("local x = 1\n-- later")
    assert lua_without_header("--\nlocal x = 1")
    assert lua_without_header("")
    assert not lua_without_header("-- Take one grace result.\nlocal x = 1")
    assert not lua_without_header("#!lua flags=no-writes\n-- Take one grace result.\n")
