"""The hostile test's application in Django: one file, Django's own routing and common middleware.

With ANY_CASE=1 its routes are regular expressions that ignore case, as many projects have them.
"""

from __future__ import annotations

import os

import django  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest  # type: ignore[import-untyped]
from django.http import HttpResponse  # type: ignore[import-untyped]
from django.urls import path, re_path  # type: ignore[import-untyped]

from .beacon import report

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for the hostile test only",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()


def _text(request: WSGIRequest, body: str) -> HttpResponse:
    return HttpResponse(f"{body} nonce={request.headers.get('X-Nonce', '-')}\n", content_type="text/plain")


def result(request: WSGIRequest, identifier: str) -> HttpResponse:
    """Answers every method, as a Django view does unless told otherwise."""
    report(request.headers.get("X-Nonce"), request.META["REQUEST_URI"])
    return _text(request, "MARKER-RESULT")


def opened(request: WSGIRequest) -> HttpResponse:
    return _text(request, f"OPEN {request.META['REQUEST_URI']}")


_RESULTS = (
    [re_path(r"(?i)^api/result/(?P<identifier>[^/]+)/?$", result)]
    if os.environ.get("ANY_CASE") == "1"
    else [path("api/result/<str:identifier>", result), path("api/result/<str:identifier>/", result)]
)
urlpatterns = [*_RESULTS, re_path("", opened)]

app = WSGIHandler()
