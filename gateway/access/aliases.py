"""Other addresses under which frameworks serve the data of a page.

A browser that is already in the application asks for the data of the next page alone, at an address that the framework
makes of the page's own. Whoever writes a config thinks of pages; even frameworks have forgotten these addresses in
matchers of their own (Next.js, CVE-2026-44575).

Everything here takes time in proportion to the path: whoever sends it may choose it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from string import ascii_lowercase, ascii_uppercase

from gateway.core.rule import Framework

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
"""Keeps the length, as `str.lower` does not: a place in the one is a place in the other."""
_LOCALE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)


class Aliases:
    """What the frameworks of one config make of the addresses of pages."""

    def __init__(self, frameworks: tuple[Framework, ...]) -> None:
        self._readers = [_READERS[framework] for framework in dict.fromkeys(frameworks)]

    def __bool__(self) -> bool:
        return bool(self._readers)

    def pages(self, path: str) -> Iterator[str]:
        """The paths of the pages whose data this path may be, with a slash at their end and without where a router may
        read either."""
        path = path.rstrip("/ .")  # what lenient servers drop there
        low = path.translate(_LOWER)
        for read in self._readers:
            for page in read(path, low):
                yield page or "/"
                if page.endswith("/") and len(page) > 1:
                    yield page[:-1]


def _of_nextjs(path: str, low: str) -> Iterator[str]:
    """Next.js up to 16: `lib/constants` names the suffixes, `shared/lib/router` the folder of the Pages Router."""
    at = low.find("/_next/data/")
    if at >= 0 and low.endswith(".json"):
        base, rest = path[:at], path[at + len("/_next/data/") : -len(".json")]
        page = rest.partition("/")[2]  # behind the build's id
        locale, _, inner = page.partition("/")
        yield from _with_index(f"{base}/{page}")
        if _LOCALE.fullmatch(locale):
            yield from _with_index(f"{base}/{inner}")
    elif low.endswith(".rsc"):
        yield from _with_index(_without(path, low, ".prefetch.rsc") or path[: -len(".rsc")])
        segments = low.find(".segments/")
        if segments >= 0:
            yield from _with_index(path[:segments])


def _of_react_router(path: str, low: str) -> Iterator[str]:
    """Single fetch of React Router 7 and Remix 2, `_.data` of pages with a slash at their end (7.12), and the `.rsc` of
    its server components."""
    for suffix in ("_root.data", "_.data", ".data", "_root.rsc", ".rsc"):
        page = _without(path, low, suffix)
        if page is not None:
            yield page


def _of_sveltekit(path: str, low: str) -> Iterator[str]:
    """SvelteKit 2, `runtime/pathname.js`."""
    for suffix, kept in (("__data.json", ""), (".html__data.json", ".html")):
        page = _without(path, low, suffix)
        if page is not None:
            yield page + kept


def _of_nuxt(path: str, low: str) -> Iterator[str]:
    """Nuxt 3 and 4; `.js` is of versions before."""
    for suffix in ("_payload.json", "_payload.js"):
        page = _without(path, low, suffix)
        if page is not None:
            yield page


def _of_gatsby(path: str, low: str) -> Iterator[str]:
    """Gatsby 5: the path of the page lies between two names."""
    at, inner = low.find("/page-data/"), _without(path, low, "/page-data.json")
    if at >= 0 and inner is not None:
        yield from _with_index(path[:at] + inner[at + len("/page-data") :])


def _with_suffix(path: str, low: str) -> Iterator[str]:
    """The optional `(.:format)` of every route of Rails, and `format_suffix_patterns` of Django REST framework.

    Rails takes any character but these two for a format (Journey's `DEFAULT_EXP`), and an action that does not ask for
    it answers whatever it is.
    """
    page, dot, suffix = path.rpartition(".")
    if dot and "/" not in suffix:
        yield page


_READERS: dict[Framework, Callable[[str, str], Iterator[str]]] = {
    Framework.NEXTJS: _of_nextjs,
    Framework.REACT_ROUTER: _of_react_router,
    Framework.SVELTEKIT: _of_sveltekit,
    Framework.NUXT: _of_nuxt,
    Framework.GATSBY: _of_gatsby,
    Framework.RAILS: _with_suffix,
    Framework.DJANGO_REST: _with_suffix,
}


def _without(path: str, low: str, suffix: str) -> str | None:
    return path[: -len(suffix)] if low.endswith(suffix) else None


def _with_index(page: str) -> Iterator[str]:
    """The page, and the one that is called `index` here because its own path ends in nothing."""
    yield page
    if page.translate(_LOWER).endswith("/index"):
        yield page[: -len("index")]
