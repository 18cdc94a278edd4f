"""The files of the project, as a reader of the repository sees them."""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_NOT_OURS = {"node_modules", "dist", "build", "data", "__pycache__"}


def is_ours(folder: str) -> bool:
    """Whether people write in a folder of this name: caches, environments and what is built from the tree are out."""
    return folder not in _NOT_OURS and not (folder.startswith(".") and folder != ".ci")


@cache
def files() -> tuple[Path, ...]:
    """Every file that people wrote."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(name for name in subfolders if is_ours(name))
        # A second work tree of a repository has a file of this name where the first has a folder.
        found.extend(Path(folder, name) for name in sorted(names) if name != ".git")
    return tuple(found)


def sources() -> tuple[Path, ...]:
    """The Python files that are shipped."""
    shipped = (ROOT / "gateway", ROOT / "plugins")
    return tuple(
        path for path in files() if path.suffix == ".py" and any(path.is_relative_to(folder) for folder in shipped)
    )


def module_name(path: Path) -> str:
    """The name under which a shipped file is imported."""
    relative = path.relative_to(ROOT)
    parts = relative.parts[1:] if relative.parts[0] == "plugins" else relative.parts
    return ".".join(parts).removesuffix(".py").removesuffix(".__init__")


def place(path: Path) -> str:
    """The path as people say it."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, read once for all guards."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def pyproject() -> dict[str, Any]:
    """The project's own description."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def plugin_folders() -> tuple[Path, ...]:
    """Every folder in plugins/ that holds files; an empty one is a draft that nothing ships."""
    return tuple(
        folder
        for folder in sorted((ROOT / "plugins").iterdir())
        if folder.is_dir() and is_ours(folder.name) and any(folder.rglob("*.py"))
    )


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Each module that a syntax tree imports, wherever in it, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
