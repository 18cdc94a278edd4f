"""Five hundred ordinary URLs in canonical form: only what must be escaped is escaped. None names a result."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

_COUNT = 500


def _words(table: str) -> list[str]:
    return table.split()


_PAGES = _words("""
    / /about /pricing /contact /blog/ /docs /docs/ /docs/getting-started /docs/v2.1/install /robots.txt
    /favicon.ico /sitemap.xml /.well-known/security.txt /.well-known/acme-challenge/aB3-_x /index.html /index.php
    /a /~alice/ /~alice/photos/2024 /@bob /@bob/posts/1 /users/42 /users/42/settings /u/alice.smith /u/o'neil
    /search /login /logout /signup /feed.xml /api /api/ /api/me /api/v1/users /api/v1/users/42
    /api/v1/users/42/orders/2024-05-01 /api/reports /api/reports/7 /api/health /graphql /static/app.js
    /static/app.css /static/js/chunk-7f3a2b.min.js /static/fonts/inter-v12.woff2 /assets/logo@2x.png
    /assets/img/hero-1920x1080.webp /img/a,b.png /img/photo(1).jpg /img/100x100!/cat.png
    /calendar/2024-05-01T10:00:00 /time/10:30 /price/$5 /map/@52.52,13.405,12z /x=1/y=2 /tags/a+b /tags/c&c
    /wiki/Main_Page /wiki/Talk:Main_Page /wiki/Paris_(Texas) /wiki/What! /wiki/* /download/tool-1.2.3.tar.gz
    /download/.hidden /a.b/c.d /... /.... /a/.../b /- /_ /_next/static/x.js /_nuxt/a.js
""")

_NEAR_THE_RESULT = _words("""
    /api/results /api/results/7 /api/result-list /api/resultant/7 /api/resul/7 /api/result7 /api/result/7/comments
    /api/result/7/share/mail /v1/api/result/7 /api/v1/result/7 /apis/result/7 /api-result/7 /result/7 /results
    /result/api/7 /api.result/7 /api/result.7 /api/my-result/7 /docs/api/result/7 /help?topic=/api/result/7
    /?next=/api/result/7 /search?q=api%2Fresult%2F7 /open?../api/result/7 /api/result-7?id=7
""")

_NAMES = """
    café, naïve, Zürich, straße, Ærø, smörgåsbord, año nuevo, coração, œuvre, Łódź, žluťoučký kůň,
    kılavuz, Ελλάδα, Привет мир, Україна, 日本語, 東京タワー, カタカナ, 中文维基, 한국어, ภาษาไทย, हिन्दी,
    עברית, العربية, Việt Nam, emoji 🎉, 🚀, math 𝄞, a b, a b c.txt, C++, C♯, AT&T, 50€, x=y, 1+1=2, rock & roll,
    “quoted”, [draft], {template}, a|b, tilde~, <b>, back`tick, caret^, say "hi", d'accord, ¿qué, ¡hola!, § 5
"""

_QUERIES = _words("""
    ?q=1 ?a=1&b=2 ?a=1&a=2 ?a ?a= ?=b ?&& ?q=a+b ?q=a%20b ?q=a%2Bb ?q=caf%C3%A9 ?q=%E6%97%A5%E6%9C%AC
    ?q=%F0%9F%8E%89 ?q=%22x%22 ?q=%25 ?q=%23tag ?q=a%26b%3Dc ?path=/a/b/../c ?path=%2Fa%2Fb
    ?next=http://example.com/x?y=z ?next=https%3A%2F%2Fexample.com%2F ?x%5B%5D=1&x%5B%5D=2 ?filter%5Bname%5D=a ?a;b
    ?a=1;b=2 ?time=10:30 ?mail=a@b.example ?s=~!$'()*, ?a?b ?// ?a=%00 ?json=%7B%22a%22%3A1%7D
    ?token=eyJhbGciOiJIUzI1NiJ9.e30.x-_Y ?sig=a%2Fb%2Bc%3D%3D ?%61=%62 ?q=%c3%a9 ?q=%E9 ?_method=get
    ?_=1715000000000 ?utm_source=mail&utm_medium=a.b&utm_campaign=x-y_z
""")

_NEEDLESS_LOOKING = _words("""
    /wiki/C%2B%2B /wiki/AT%26T /u/a%40b.example /t/10%3A30 /k/a%3Db /k/a%2Cb /k/%28a%29 /k/%21 /k/%24 /k/it%27s /k/%2A
""")
"""Escapes of characters that have a meaning unescaped: they must stay."""


def _every_url() -> Iterator[str]:
    yield from _PAGES
    yield from _NEAR_THE_RESULT
    for query, page in product(_QUERIES, ("/search", "/", "/docs/caf%C3%A9")):
        yield page + query
    names = " ".join(_NAMES.split()).split(", ")
    for folder, name in product(("/docs/", "/wiki/", "/files/", "/tags/", "/u/"), names):
        yield folder + quote(name, safe="!$&'()*+,=:@~")
    yield from _NEEDLESS_LOOKING
    yield from ("/long/" + "a" * 1500, "/long/" + "segment/" * 120, "/long?q=" + "x" * 3000)
    yield from ("/long/" + quote("é" * 300), "/deep/" + "/".join(map(str, range(150))))
    for number in range(_COUNT):
        yield f"/projects/{number}/tasks/{number * 7919 % 1000}.html?page={number}"


OPEN_URLS = tuple(dict.fromkeys(_every_url()))[:_COUNT]
