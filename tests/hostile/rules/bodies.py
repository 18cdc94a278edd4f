"""Rules for bodies: what can't be read in one way, and what some application reads in it."""

from __future__ import annotations

import base64

from tests.hostile.gateways import Site
from tests.hostile.message import Header, Variant, request

from .rule import Rule

_BODY = "gateway.access.body:"
_FORM = "gateway.access.form:"
_JSON = "gateway.access.strict_json:"
_FIT = "gateway.access.fit_body:"

_ACT = Site(before=('{path: "/act", class: result, body: {kind: report}}',))
_SHOWN = Site(before=('{path: "/act", class: open, body: {kind: view}}', '{path: "/act", class: result}'))
_TOOL = Site(before=('{path: "/rpc", class: result, tool: export}',))

_AS_JSON: Header = (b"Content-Type", b"application/json")
AS_FORM: Header = (b"Content-Type", b"application/x-www-form-urlencoded")
_PLAIN = b'{"kind": "report"}'


def sent(body: bytes, *headers: Header, target: bytes = b"/act", method: bytes = b"POST") -> Variant:
    """A request with this body."""
    framed = (*headers, (b"Content-Length", b"%d" % len(body)))
    return Variant(f"body of {len(body)} bytes", request(target, framed, method=method, body=body))


def _in_parts(boundary: bytes, head: bytes, content: bytes) -> bytes:
    return b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (boundary, head, content, boundary)


_KIND_PART = b'Content-Disposition: form-data; name="kind"'
_PART_IN_A_PART = _in_parts(b"a", b'Content-Disposition: form-data; name="x"', _in_parts(b"b", _KIND_PART, b"report"))

RULES: tuple[Rule, ...] = (
    Rule(
        "what can't be read may be anything",
        _FIT + "may_fit",
        "if body.unreadable:",
        "if False:",
        "bodies",
        sent(b'{"kind": "report", /* */ "x": 1}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "a body too large is not looked into",
        _BODY + "larger_than",
        'Body(unreadable=f"it has more than {format_size(limit)}")',
        "Body()",
        "bodies",
        sent(b'{"x": "%b", "kind": "report"}' % (b"x" * 70_000), _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "compressed bodies",
        _BODY + "read_body",
        'if any(coding.strip().lower() not in (b"", b"identity") for coding in codings):',
        "if False:",
        "bodies",
        sent(base64.b64encode(_PLAIN), (b"Content-Encoding", b"base64")),
        site=_ACT,
    ),
    Rule(
        "one content type",
        _BODY + "_read",
        "if len(content_types) > 1:",
        "if False:",
        "bodies",
        sent(
            _PART_IN_A_PART,
            (b"Content-Type", b"multipart/form-data; boundary=a"),
            (b"Content-Type", b"multipart/form-data; boundary=b"),
        ),
        site=_ACT,
    ),
    Rule(
        "other charsets than UTF-8",
        _BODY + "_read",
        'options.get("charset", "").lower() not in _CHARSETS',
        "False",
        "bodies",
        sent("kind=report".encode("utf-7").replace(b"r", b"+AHI-"), (AS_FORM[0], AS_FORM[1] + b"; charset=utf-7")),
        site=_ACT,
    ),
    Rule(
        "bodies that are not UTF-8",
        _BODY + "_read",
        'text = data.decode("utf-8")',
        'text = data.decode("utf-8", "replace")',
        "bodies",
        sent(b'{"ki\xffnd": "report"}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "JSON that does not say so",
        _BODY + "_read_form_or_json",
        "if is_encoded(text):",
        "if True:",
        "bodies",
        sent(_PLAIN),
        site=_ACT,
    ),
    Rule(
        "a form within JSON",
        _BODY + "_read_form_or_json",
        "return Body(fields=tuple(read_encoded(text)), items=_items(text))",
        "return Body(items=_items(text))",
        "bodies",
        sent(b'{"x": "&kind=report&"}', AS_FORM),
        site=_ACT,
    ),
    Rule(
        "a semicolon between fields",
        _FORM + "read_encoded",
        'if ";" in text:',
        "if False:",
        "bodies",
        sent(b"x=1;kind=report", AS_FORM),
        site=_ACT,
    ),
    Rule(
        "parts that are encoded once more",
        _FORM + "_read_part",
        'if not headers.keys() <= {b"content-disposition", b"content-type", b"content-length"}:',
        "if False:",
        "bodies",
        sent(
            _in_parts(b"a", _KIND_PART + b"\r\nContent-Transfer-Encoding: base64", base64.b64encode(b"report")),
            (b"Content-Type", b"multipart/form-data; boundary=a"),
        ),
        site=_ACT,
    ),
    Rule(
        "keys that stand twice",
        _JSON + "_object",
        "if len(made) != len(pairs):",
        "if False:",
        "bodies",
        sent(b'{"kind": "report", "kind": "other"}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "keys that JavaScript follows",
        _JSON + "_object",
        'if "__proto__" in made:',
        "if False:",
        "bodies",
        sent(b'{"__proto__": {"kind": "report"}}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "NUL ends a text",
        _JSON + "_check_text",
        'if "\\0" in text:',
        "if False:",
        "bodies",
        sent(b'{"kind": "report\\u0000x"}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "names of fields in any case",
        _FIT + "_found",
        "key = folded_key(name)",
        "key = name",
        "bodies",
        sent(b'{"Kind": "report"}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "a list of one is what it holds",
        _FIT + "_alike",
        "if isinstance(found, list):",
        "if False:",
        "bodies",
        sent(b'{"kind": ["report"]}', _AS_JSON),
        site=_ACT,
    ),
    Rule(
        "names that are nested in one",
        _FIT + "_found",
        "elif key == whole:",
        "elif False:",
        "bodies",
        sent(b'{"method": "tools/call", "params.name": "export"}', _AS_JSON, target=b"/rpc"),
        site=_TOOL,
    ),
    Rule(
        "fields in the query",
        _FIT + "_may_have",
        "(*parameters, *body.fields)",
        "body.fields",
        "bodies",
        sent(b"{}", _AS_JSON, target=b"/act?kind=report"),
        site=_ACT,
    ),
    Rule(
        "every item of a batch",
        _FIT + "_may_have",
        "for item in body.items or ({},))",
        "for item in body.items[:1] or ({},))",
        "bodies",
        sent(b'[{"method": "ping"}, {"method": "tools/call", "params": {"name": "export"}}]', _AS_JSON, target=b"/rpc"),
        site=_TOOL,
    ),
    Rule(
        "what opens a route has one reading",
        _FIT + "_surely_in_object",
        "if [key for key in value if folded_key(key) in aliases] != [name]:",
        "if name not in value:",
        "bodies",
        sent(b'{"kind": "view", "Kind": "report"}', _AS_JSON),
        site=_SHOWN,
    ),
    Rule(
        "what opens a route has no second word in the query",
        _FIT + "_surely_has",
        '{folded_key(field.path[0]), folded_key("".join(field.path))} & said',
        "False",
        "bodies",
        sent(b'{"kind": "view"}', _AS_JSON, target=b"/act?kind=report"),
        site=_SHOWN,
    ),
    Rule(
        "what opens a route is all of a batch",
        _FIT + "_surely_has",
        "for item in body.items for field in wanted)",
        "for item in body.items[:1] for field in wanted)",
        "bodies",
        sent(b'[{"kind": "view"}, {"kind": "report"}]', _AS_JSON),
        site=_SHOWN,
    ),
)
