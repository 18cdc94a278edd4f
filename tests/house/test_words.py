"""The tree names nobody's machine and no registry's host: it must work wherever it is cloned to."""

from __future__ import annotations

from .tree import files, place

# Put together here, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a path of somebody's machine": ["/" + folder + "/" for folder in ("work", "root", "farm")],
    "the host of a package registry": [
        ".".join(parts)
        for parts in (
            ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com"), ("proxy", "golang", "org"),
            ("docker", "io"), ("ghcr", "io"), ("quay", "io"),
        )
    ],
}  # fmt: skip


def forbidden_words(text: str) -> list[str]:
    return [
        f"{number}: {word!r} is {kind}"
        for number, line in enumerate(text.splitlines(), 1)
        for kind, words in FORBIDDEN.items()
        for word in words
        if word in line
    ]


def test_no_forbidden_words() -> None:
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{place(path)}:{said}" for said in forbidden_words(text)]
    assert not found


def test_a_forbidden_word_is_noticed() -> None:
    for words in FORBIDDEN.values():
        for word in words:
            assert forbidden_words(f"first line\nsee https://files.{word}/x") == [
                f"2: {word!r} is {kind}" for kind, its in FORBIDDEN.items() if word in its
            ]
    assert not forbidden_words("the homework/rooted/ path of docker/io")
