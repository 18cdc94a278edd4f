"""Parameters of a query, read as the most lenient framework reads them and as the strictest one does."""

from __future__ import annotations

from urllib.parse import parse_qsl

from gateway.core.target import fold

Pairs = list[tuple[str, str]]
Wanted = tuple[tuple[str, str | None], ...]
"""Names, each with the value that it must have, or (None) with any."""

SURELY_READ = 100
"""So many parameters every framework takes. PHP, Node.js and Tomcat leave out what comes behind the thousandth."""


def parameters(query: str) -> Pairs:
    """Names and values, decoded, in order."""
    return parse_qsl(query, keep_blank_values=True)


def may_have(wanted: Wanted, query: str) -> bool:
    """Whether some framework finds these parameters: any of several values counts, whatever its case,
    and `;` separates too."""
    pairs = [(folded_names(name), bare(value)) for name, value in parameters(query.replace(";", "&"))]
    return all(
        any(folded_key(wanted_name) in names and _fits(wanted_value, value) for names, value in pairs)
        for wanted_name, wanted_value in wanted
    )


def surely_has(wanted: Wanted, query: str) -> bool:
    """Whether every framework finds these parameters: spelled exactly so, and no second value to choose from.

    A rule that opens something must not be reached by a query that the application reads otherwise.
    """
    for spelled in {query, query.replace(";", "&")}:
        pairs = parameters(spelled)
        if len(pairs) > SURELY_READ:
            return False
        for wanted_name, wanted_value in wanted:
            if all(name != wanted_name for name, _ in pairs):
                return False
            values = {value for name, value in pairs if folded_key(wanted_name) in folded_names(name)}
            if wanted_value is not None and values != {wanted_value}:
                return False
    return True


def folded_names(name: str) -> set[str]:
    """What some framework or other takes a parameter for, each as `folded_key` takes it: `Name[]` for `name`,
    `dto.name` too (ASP.NET binds it to whatever is called `dto`), and what ends at a NUL for whole (PHP)."""
    if _PARTED.isdisjoint(name):  # as nearly all are, and a query may have thousands
        return {folded_key(name)}
    return {read for spelled in {name, until_nul(name)} for read in _readings(spelled)}


def _readings(name: str) -> tuple[str, str, str]:
    return folded_key(name), folded_key(name.partition("[")[0]), last_key(name)


def until_nul(text: str) -> str:
    """Text as whoever ends it at a NUL reads it: PHP the names of parameters, much that is written in C all of it."""
    return text.partition("\0")[0]


def php_name(name: str) -> str:
    """The name of a parameter as PHP knows it."""
    return until_nul(name).lstrip(" ").translate(_UNDERSCORES)


def folded_key(name: str) -> str:
    """A name of a field as the most lenient reader takes it: `filter[report_type]` and `Filter.reportType` are one.

    Go and .NET ignore case, Protocol Buffers take both `reportType` and `report_type`, PHP makes `_` of a dot.
    """
    return bare(name).translate(_JOINTS)


def first_key(name: str) -> str:
    """The outermost of the names that `filter[type]` or `filter.type` is made of, as `folded_key` takes it."""
    return folded_key(name.partition("[")[0].partition(".")[0])


def last_key(name: str) -> str:
    """The innermost of these names."""
    return folded_key(name.rstrip("]").rpartition("[")[2].rpartition(".")[2])


def bare(text: str) -> str:
    """Text as the most lenient reader takes it: no case, no space, nothing invisible."""
    folded = fold(text)
    if not folded.isprintable():
        folded = "".join(filter(str.isprintable, folded))
    return folded.replace(" ", "")


_PARTED = frozenset("[.\0")
_JOINTS = str.maketrans("", "", "[]._-")
_UNDERSCORES = str.maketrans(" .[", "___")


def _fits(wanted: str | None, folded: str) -> bool:
    return wanted is None or bare(wanted) == folded
