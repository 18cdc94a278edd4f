"""The rig's application in Django, with the middleware that answers conditional requests."""

from __future__ import annotations

import django  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest  # type: ignore[import-untyped]
from django.http import HttpResponse, StreamingHttpResponse  # type: ignore[import-untyped]
from django.urls import re_path  # type: ignore[import-untyped]

from .telling import body_of, order, pieces, wsgi_headers

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for the transparency rig only",
    MIDDLEWARE=["django.middleware.http.ConditionalGetMiddleware", "django.middleware.common.CommonMiddleware"],
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()


def anything(request: WSGIRequest) -> HttpResponse:
    told = order(request.headers.get("X-Answer"))
    data = body_of(told, request.method, request.META["REQUEST_URI"], wsgi_headers(request.META), request.body)
    if request.method == "HEAD":  # Django leaves this to the server, and waitress does not do it
        response = HttpResponse(status=told.status, headers={"Content-Length": str(len(data))})
    elif told.stream:
        response = StreamingHttpResponse(pieces(data), status=told.status)
    else:
        response = HttpResponse(data, status=told.status)
    for name, value in told.headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response.headers[name] = value
    return response


urlpatterns = [re_path("", anything)]

app = WSGIHandler()
