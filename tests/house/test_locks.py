"""The locked lists hold every direct dependency, in a version that is allowed, each with its hashes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .tree import ROOT, imports, parsed, pyproject, sources

_EXTRAS = pyproject()["project"]["optional-dependencies"]
_GROUPS = pyproject()["dependency-groups"]
_RUN = pyproject()["project"]["dependencies"]

LISTS = {
    "run": [*_RUN, *_EXTRAS["invoice"], *_EXTRAS["s3"], *_EXTRAS["stripe"], *_EXTRAS["teasers"]],
    "demo": [*_RUN, *_EXTRAS["demo"], *_EXTRAS["teasers"]],
    "test": [
        *_RUN,
        *_EXTRAS["demo"],
        *_EXTRAS["invoice"],
        *_EXTRAS["s3"],
        *_EXTRAS["stripe"],
        *_EXTRAS["teasers"],
        *_GROUPS["build"],
        *_GROUPS["test"],
    ],
    "build": _GROUPS["build"],
    "lock": _GROUPS["lock"],
}
LISTS["bench"] = [*LISTS["test"], *_GROUPS["bench"]]

CARRIED = {"pydantic-core": "pydantic", "yarl": "aiohttp"}
"""Libraries that may be imported without being declared, as a part of another one's own API."""

_PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(.*)$", re.MULTILINE)


def locked(name: str) -> str:
    """The text of one list."""
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pins(text: str) -> dict[str, str]:
    """What a list pins: the canonical name and the version."""
    return {canonicalize_name(match[1]): match[2] for match in _PIN.finditer(text)}


def unmet(wanted: Iterable[str], text: str) -> list[str]:
    """Dependencies that a list does not hold, or holds in a version that is not allowed."""
    held = pins(text)
    found = []
    for line in wanted:
        requirement = Requirement(line)
        version = held.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{line} is wanted, {version or 'nothing'} is locked; run: make lock")
    return found


def without_hash(text: str) -> list[str]:
    """Pinned packages whose pin is not followed by a hash."""
    lines = text.splitlines()
    return [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if _PIN.match(line) and not after.startswith("    --hash=sha256:")
    ]


def undeclared(imported: Iterable[str], declared: Iterable[str], makers: Mapping[str, list[str]]) -> list[str]:
    """Imported libraries that no declared dependency brings: they are there today because of somebody else."""
    known = {canonicalize_name(Requirement(line).name) for line in declared}
    known |= {canonicalize_name(carried) for carried, carrier in CARRIED.items() if carrier in known}
    return sorted(name for name in imported if not known & {canonicalize_name(maker) for maker in makers.get(name, [])})


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_what_is_wanted(name: str) -> None:
    assert not unmet(LISTS[name], locked(name))
    assert not without_hash(locked(name))


@pytest.mark.parametrize("name", ["run", "demo", "test", "build"])
def test_one_library_has_one_version_in_all_lists(name: str) -> None:
    longest = pins(locked("bench"))
    assert {package: version for package, version in pins(locked(name)).items() if longest[package] != version} == {}


def test_the_demo_does_without_pandas() -> None:
    assert not {"pandas", "numpy"} & set(pins(locked("bench")))


def test_a_stale_list_is_noticed() -> None:
    text = "ruamel-yaml==0.18.0 \\\n    --hash=sha256:00\n"
    assert unmet(["ruamel.yaml>=0.19"], text)
    assert unmet(["redis[hiredis]>=8.1"], text)
    assert not unmet(["ruamel.yaml>=0.18"], text)


def test_a_pin_without_hash_is_noticed() -> None:
    assert without_hash("a==1 \\\n    --hash=sha256:00\nb==2\nc==3 ; sys_platform != 'win32' \\\n    --hash=sha256:00")
    assert not without_hash("a==1 \\\n    --hash=sha256:00\n    --hash=sha256:01\n")


def test_every_library_that_is_imported_is_declared() -> None:
    tops = {name.partition(".")[0] for path in sources() for name, _ in imports(parsed(path))}
    libraries = {top for top in tops - sys.stdlib_module_names if not top.startswith("gateway")}
    assert not undeclared(
        libraries, [*_RUN, *(library for extra in _EXTRAS.values() for library in extra)], packages_distributions()
    )


def test_an_undeclared_library_is_noticed() -> None:
    makers = {"jwt": ["PyJWT"], "yarl": ["yarl"], "yaml": ["PyYAML"]}
    assert undeclared(["jwt", "yarl", "yaml"], ["pyjwt[crypto]>=2", "aiohttp>=3"], makers) == ["yaml"]
    assert undeclared(["yarl"], ["pyjwt"], makers) == ["yarl"]
    assert undeclared(["nowhere"], ["pyjwt"], makers) == ["nowhere"]
