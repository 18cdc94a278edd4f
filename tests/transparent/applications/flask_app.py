"""The rig's application in Flask."""

from __future__ import annotations

from flask import Flask, Response, request

from .telling import METHODS, body_of, order, pieces, wsgi_headers

app = Flask(__name__, static_folder=None)


@app.route("/", defaults={"rest": ""}, methods=METHODS)
@app.route("/<path:rest>", methods=METHODS)
def anything(rest: str) -> Response:
    told = order(request.headers.get("X-Answer"))
    environ = request.environ
    data = body_of(told, request.method, environ["REQUEST_URI"], wsgi_headers(environ), request.get_data())
    # Waitress ends a stream that a HEAD does not get with its last chunk all the same.
    response = Response(pieces(data) if told.stream and request.method != "HEAD" else data, told.status)
    for name, value in told.headers:
        if name.lower() == "content-type":
            response.headers[name] = value
        else:
            response.headers.add(name, value)
    return response
