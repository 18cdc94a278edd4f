"""Other addresses under which frameworks serve the data of a page.

A browser that is already in the application asks for the data of the next page alone, at an address that the framework
makes of the page's own. Whoever writes a config thinks of pages; even frameworks have forgotten these addresses in
matchers of their own (Next.js, CVE-2026-44575).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.rule import Framework

_TRAILING = r"[/ .]*"
"""What lenient servers drop at the end of any path."""

_FORMS: dict[Framework, tuple[tuple[str, str], ...]] = {
    # Pages and App Router up to version 16: server/lib and lib/constants name these suffixes.
    Framework.NEXTJS: (
        (r"(.*)/_next/data/[^/]+(/.*)\.json", r"\1\2"),
        (r"(.*)/_next/data/[^/]+/[^/]+(/.*)\.json", r"\1\2"),  # the first segment is a locale
        (r"(.*)/_next/data/[^/]+/[^/]+\.json", r"\1/"),  # of which the start page's name may be all
        (r"(.*?)(?:\.prefetch)?\.rsc", r"\1"),
        (r"(.*)\.segments/.*\.segment\.rsc", r"\1"),
    ),
    # Single fetch of React Router 7 and Remix 2; `_.data` is of pages with a slash at their end (7.12).
    Framework.REACT_ROUTER: ((r"(.*)/_root\.data", r"\1/"), (r"(.*)/_\.data", r"\1/"), (r"(.*)\.data", r"\1")),
    # SvelteKit 2, runtime/pathname.js.
    Framework.SVELTEKIT: ((r"(.*)/__data\.json", r"\1/"), (r"(.*)\.html__data\.json", r"\1.html")),
    # Nuxt 3 and 4; `.js` is of versions before 3.
    Framework.NUXT: ((r"(.*)/_payload\.js(?:on)?", r"\1/"),),
    # Gatsby 5: the path of the page lies between two names.
    Framework.GATSBY: ((r"(.*)/page-data(/.*)/page-data\.json", r"\1\2"),),
    # The optional `(.:format)` of every route.
    Framework.RAILS: ((r"(.*)\.[A-Za-z0-9_-]+", r"\1"),),
    # `format_suffix_patterns`.
    Framework.DJANGO_REST: ((r"(.*)\.[A-Za-z0-9]+", r"\1"),),
}
_INDEX = re.compile(r"(.*)/index", re.DOTALL | re.IGNORECASE)
_NAME_THE_INDEX = frozenset({Framework.NEXTJS, Framework.GATSBY})
"""Frameworks for which the start page is called `index` here."""


class Aliases:
    """What the frameworks of one config make of the addresses of pages."""

    def __init__(self, frameworks: tuple[Framework, ...]) -> None:
        self._forms = [
            (re.compile(form + _TRAILING, re.DOTALL | re.IGNORECASE), page, framework in _NAME_THE_INDEX)
            for framework in frameworks
            for form, page in _FORMS[framework]
        ]

    def __bool__(self) -> bool:
        return bool(self._forms)

    def pages(self, path: str) -> Iterator[str]:
        """The paths of the pages whose data this path may be, as it is written and as a router without a slash at the
        end reads it."""
        for form, page, names_the_index in self._forms:
            found = form.fullmatch(path)
            if found is None:
                continue
            written = found.expand(page)
            if names_the_index and (index := _INDEX.fullmatch(written)) is not None:
                yield index[1] + "/"
            yield written or "/"
            if written.endswith("/") and len(written) > 1:
                yield written[:-1]
