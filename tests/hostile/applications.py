"""The applications of the hostile test: frameworks and servers that differ in how they read a path and a method."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from .collector import Collector
from .rig import OWN_CODE, Command, Server, express, haproxy, nginx, php, running, uvicorn, waitress

_APPS = Path(__file__).parent / "upstreams"
_PACKAGE = __name__.rpartition(".")[0]

APPLICATIONS = (
    *("express5", "express4", "express5-trusting", "fastify", "fastify-loose", "koa", "hono"),
    *("node-url", "node-decode", "node-matrix", "node-lax", "flask", "django", "fastapi", "fastapi-h11"),
    *("aiohttp", "php", "nginx", "haproxy"),
)
"""Most of them as their framework comes. `-trusting` believes override headers too, `-loose` is told to forgive what
it can. `node-matrix` and `node-lax` are no frameworks: the one reads `;` as servlet containers do, the other forgives
what any server is known to have forgiven."""

SPECIAL = ("django-any-case", "php-trusting", "node-host")
"""Each shows that one rule is needed, and otherwise differs little from another: `make hostile` asks them too, the
tests only about that rule. `-any-case` ignores it as Python does, `-trusting` believes headers that replace the path,
and `node-host` takes the Host for the beginning of a URL."""

ONE_RULE = ("headers", "pages", "bodies", "php-fields")
"""Each yields results at other addresses too, which only the configs of some rules know of: `rules` names them."""

REPRESENTATIVES = ("express5-trusting", "flask", "fastapi-h11", "nginx")
"""One of each kind of router and of server, where all of them would take too long."""

SIEVE = "sieve"
"""Takes every request for the result's: what does not reach it was not sent on, and reaches nothing else either."""

_NODE = {
    "express5": ("express_app.js", {"EXPRESS": "express5", "TRUSTING": "0"}),
    "express4": ("express_app.js", {"EXPRESS": "express4", "TRUSTING": "0"}),
    "express5-trusting": ("express_app.js", {"EXPRESS": "express5", "TRUSTING": "1"}),
    "fastify": ("fastify_app.js", {"LOOSE": "0"}),
    "fastify-loose": ("fastify_app.js", {"LOOSE": "1"}),
    "koa": ("koa_app.js", {}),
    "hono": ("hono_app.js", {}),
    "node-url": ("node_app.js", {"READS": "url"}),
    "node-host": ("node_app.js", {"READS": "host"}),
    "node-decode": ("node_app.js", {"READS": "decode"}),
    "node-matrix": ("node_app.js", {"READS": "matrix"}),
    "node-lax": ("node_app.js", {"READS": "lax"}),
    SIEVE: ("node_app.js", {"READS": "all"}),
    "headers": ("header_app.js", {}),
    "pages": ("page_app.js", {}),
}


def upstream(name: str, collector: Collector, folder: Path) -> contextlib.AbstractContextManager[Server]:
    """One of `APPLICATIONS`, `SPECIAL` or `ONE_RULE`, or the sieve, running and reporting to the collector. Raises
    `Absent`, `StartFailed`."""
    script, settings = _NODE.get(name, ("", {}))
    commands: dict[str, Command] = {
        "flask": waitress("upstreams.flask_app"),
        "django": waitress("upstreams.django_app"),
        "django-any-case": waitress("upstreams.django_app"),
        "fastapi": uvicorn("upstreams.fastapi_app", "--http=httptools", "--log-level=error"),
        "fastapi-h11": uvicorn("upstreams.fastapi_app", "--http=h11", "--log-level=error"),
        "bodies": uvicorn("upstreams.body_app", "--http=httptools", "--log-level=error"),
        "aiohttp": lambda port, _: [sys.executable, "-m", f"{_PACKAGE}.upstreams.aiohttp_app", str(port)],
        "php": php(_APPS / "php_app.php"),
        "php-trusting": php(_APPS / "php_app.php"),
        "php-fields": php(_APPS / "php_fields_app.php"),
        "nginx": nginx(_APPS / "nginx.conf.template", name="nginx", beacon_port=collector.port),
        "haproxy": haproxy(_APPS / "haproxy.cfg.template", name="haproxy", beacon_port=collector.port),
    }
    if name.startswith("php"):
        # Without more than one process, the first request to announce more than it has memory for would end it.
        settings = {"PHP_CLI_SERVER_WORKERS": "8", "TRUSTING": "1" if name == "php-trusting" else "0"}
    if name.startswith("django"):
        settings = {"ANY_CASE": "1" if name == "django-any-case" else "0"}
    environment = OWN_CODE | {"UPSTREAM_NAME": name, "BEACON_PORT": str(collector.port), **settings}
    command = express(_APPS / script) if script else commands[name]
    return running(name, command, folder, environment)
