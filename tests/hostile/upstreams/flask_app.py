"""The hostile test's application in Flask, with Flask's own routing; only its static folder is switched off."""

from __future__ import annotations

from flask import Flask, Response, request

from .beacon import report

app = Flask(__name__, static_folder=None)


def _text(body: str) -> Response:
    return Response(f"{body} nonce={request.headers.get('X-Nonce', '-')}\n", mimetype="text/plain")


@app.route("/api/result/<identifier>", methods=["GET", "POST"])
def result(identifier: str) -> Response:
    report(request.headers.get("X-Nonce"), request.environ["REQUEST_URI"])
    return _text("MARKER-RESULT")


@app.route("/", defaults={"rest": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@app.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def opened(rest: str) -> Response:
    return _text(f"OPEN {request.environ['REQUEST_URI']}")
