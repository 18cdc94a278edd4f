"""Rules for addresses that are another one's: the data of a page, and what lies below a script."""

from __future__ import annotations

from tests.hostile.gateways import Site
from tests.hostile.message import Variant, printable, request

from .rule import Rule

_ALIASES = "gateway.access.aliases:"
_MATCH = "gateway.access.match:RouteTable."
_PAGE = '{path: "/report", class: result}'
_SCRIPT = Site(before=('{path: "/report.php", class: result}',))


def _built_with(framework: str, *before: str) -> Site:
    return Site(before=(*before, _PAGE), frameworks=framework)


def _get(target: bytes) -> Variant:
    return Variant(printable(target), request(target))


RULES: tuple[Rule, ...] = (
    Rule(
        "the data of a page is the page's",
        _MATCH + "_find",
        "if self._aliases:",
        "if False:",
        "pages",
        _get(b"/report.rsc"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "what is exempt opens no data of a result",
        _MATCH + "_stricter",
        "case _, RouteClass.RESULT:",
        "case RouteClass.OPEN, RouteClass.RESULT:",
        "pages",
        _get(b"/_next/data/build/report.json"),
        site=_built_with("nextjs", '{path: "/_next/**", class: exempt}'),
    ),
    Rule(
        "Next.js: the Pages Router",
        _ALIASES + "_of_nextjs",
        'yield from _with_index(f"{base}/{page}")',
        "pass",
        "pages",
        _get(b"/_next/data/build/report.json"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "Next.js: a page in a language",
        _ALIASES + "_of_nextjs",
        "if _LOCALE.fullmatch(locale):",
        "if False:",
        "pages",
        _get(b"/_next/data/build/de/report.json"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "Next.js: components",
        _ALIASES + "_of_nextjs",
        'low.endswith(".rsc")',
        "False",
        "pages",
        _get(b"/report.rsc"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "Next.js: components fetched early",
        _ALIASES + "_of_nextjs",
        '_without(path, low, ".prefetch.rsc") or',
        "",
        "pages",
        _get(b"/report.prefetch.rsc"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "Next.js: segments",
        _ALIASES + "_of_nextjs",
        "if segments >= 0:",
        "if False:",
        "pages",
        _get(b"/report.segments/a/b.segment.rsc"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "React Router and Remix",
        _ALIASES + "_of_react_router",
        '".data", "_root.rsc"',
        '"_root.rsc"',
        "pages",
        _get(b"/report.data"),
        site=_built_with("react-router"),
    ),
    Rule(
        "React Router: a slash at the end",
        _ALIASES + "_of_react_router",
        '"_.data", ',
        "",
        "pages",
        _get(b"/report/_.data"),
        site=_built_with("react-router"),
    ),
    Rule(
        "SvelteKit",
        _ALIASES + "_of_sveltekit",
        '("__data.json", "")',
        '("", "")',
        "pages",
        _get(b"/report/__data.json"),
        site=_built_with("sveltekit"),
    ),
    Rule(
        "Nuxt",
        _ALIASES + "_of_nuxt",
        '"_payload.json", ',
        "",
        "pages",
        _get(b"/report/_payload.json"),
        site=_built_with("nuxt"),
    ),
    Rule(
        "Gatsby",
        _ALIASES + "_of_gatsby",
        "at >= 0 and inner is not None",
        "False",
        "pages",
        _get(b"/page-data/report/page-data.json"),
        site=_built_with("gatsby"),
    ),
    Rule(
        "a suffix for the format",
        _ALIASES + "_with_suffix",
        'dot and "/" not in suffix',
        "False",
        "pages",
        _get(b"/report.csv"),
        site=_built_with("rails"),
    ),
    Rule(
        "the suffix of data in any case",
        _ALIASES + "Aliases.pages",
        "low = path.translate(_LOWER)",
        "low = path",
        "pages",
        _get(b"/report.RSC"),
        site=_built_with("nextjs"),
    ),
    Rule(
        "what trails behind data is ignored",
        _ALIASES + "Aliases.pages",
        'path = path.rstrip("/ .")',
        "pass",
        "pages",
        _get(b"/report.data."),
        site=_built_with("react-router"),
    ),
    Rule(
        "what lies below a script is the script's",
        _MATCH + "_find_page",
        "return self._match_script(method, reading, query, fits, found)",
        "return found",
        "pages",
        _get(b"/report.php/x.css"),
        site=_SCRIPT,
    ),
    Rule(
        "what trails behind a script is ignored",
        "gateway.access.path_tree:PathTree.nearest_end",
        "segment.rstrip(IGNORED_AT_END)",
        "segment",
        "pages",
        _get(b"/report.php./x.css"),
        site=_SCRIPT,
    ),
)
