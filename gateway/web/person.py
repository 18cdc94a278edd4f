"""Who asks for one of the gateway's own pages, and whether a form really comes from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.core.rule import RouteClass, Rule
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.language.catalogue import phrase
from gateway.ports.identity import Credentials, Identified, Rejected
from gateway.web.answers import OwnAnswer
from gateway.web.exchange import EXCHANGE
from gateway.web.faces import Faces
from gateway.web.forward import owner_of
from gateway.web.message import Message, is_host
from gateway.web.refusal_words import of_a_page, of_nobody
from gateway.web.runtime import Runtime
from gateway.web.signing_in import join
from gateway.web.ticket import grace_of

FORM_BYTES_LIMIT = 64 * 1024


class Denied(Exception):
    """A request that ends here, with this answer."""

    def __init__(self, answer: OwnAnswer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    subject: Subject
    state: SubjectState
    headers: Headers
    """The request's headers, judged and cleaned."""
    cookie: bytes
    base: str
    """Scheme and host that the request names. Whoever sends it can name any: good to compare with, not to lead to."""
    vary: Headers
    """What says which answers depend on who asks."""

    def response(self, own: OwnAnswer) -> Response:
        """An answer of ours to this person: nobody else's, and with the cookie of a new visitor."""
        named = any(name == b"vary" for name, _ in own.headers)
        answer = own if named else replace(own, headers=[*own.headers, *self.vary])
        response = as_response(answer)
        if self.cookie:
            response.raw_headers = [*response.raw_headers, (b"set-cookie", self.cookie)]
        return response


class People:
    """Finds out who asks for a page."""

    def __init__(self, runtime: Runtime, faces: Faces) -> None:
        self._runtime, self._faces = runtime, faces
        self._any_route = Rule(name="", route_class=RouteClass.OPEN)

    async def who(self, request: Request, rule: Rule | None = None) -> Person:
        """Who asks, and where they stand on this route. Raises `Denied`, `StoreUnavailable`. Begins no trial."""
        runtime, scope = self._runtime, request.scope
        trusted = runtime.peers.trusts(scope.get("client"))
        message = runtime.guards.of(trusted).read_scope(scope)
        identified = await runtime.identities.identify(Credentials(message.headers, trusted))
        if isinstance(identified, Rejected) and identified.temporary:
            again: Headers = [(b"retry-after", b"5")]
            raise Denied(self._faces.refuse(503, Reason.IDENTITY_UNVERIFIABLE, of_nobody(), message.headers, again))
        if not isinstance(identified, Identified):
            said = of_a_page(identified)
            more: Headers = [(b"www-authenticate", b"Bearer")]
            raise Denied(self._faces.refuse(401, Reason.IDENTITY_REQUIRED, said, message.headers, more))
        client, credentials = scope.get("client"), Credentials(message.headers, trusted)
        address = owner_of(message, client[0] if client else "", runtime.peers.trusts_address)
        whence = runtime.whence(address, credentials)
        signed_in = await join(runtime, credentials, identified, whence, is_awaited=True)
        scope[EXCHANGE].subject = runtime.keyring.pseudonym(identified.subject)
        state = await runtime.subjects.visit(identified.subject, None, grace_of(rule or self._any_route))
        base = _base(message, trusted, scope.get("scheme", "http"))
        cookie = identified.set_cookie or signed_in.cookie
        return Person(identified.subject, state, message.headers, cookie, base, self._faces.vary)

    async def named(self, request: Request, subject: Subject, rule: Rule | None = None) -> Person:
        """The person that something they brought along names, which only they were given. Raises `StoreUnavailable`."""
        runtime, scope = self._runtime, request.scope
        trusted = runtime.peers.trusts(scope.get("client"))
        message = runtime.guards.of(trusted).read_scope(scope)
        scope[EXCHANGE].subject = runtime.keyring.pseudonym(subject)
        state = await runtime.subjects.visit(subject, None, grace_of(rule or self._any_route))
        base = _base(message, trusted, scope.get("scheme", "http"))
        return Person(subject, state, message.headers, b"", base, self._faces.vary)

    async def form(self, request: Request, person: Person) -> dict[str, str]:
        """The fields of a form and of the address, the form's first. Raises `Denied` for a form from another site."""
        self._judge_origin(person)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > FORM_BYTES_LIMIT:
                detail = phrase("A form of this page has at most 64 KiB.")
                raise Denied(self._faces.refuse(413, Reason.FORM_INVALID, detail, person.headers))
        fields = dict(parse_qsl(request.scope["query_string"].decode("latin-1")))
        media_type = first(person.headers, b"content-type").partition(b";")[0].strip().lower()
        if media_type in (b"application/x-www-form-urlencoded", b""):
            fields.update(parse_qsl(body.decode("utf-8", "replace")))
        return fields

    def _judge_origin(self, person: Person) -> None:
        # A browser always says where a form comes from; a program that says nothing has no ambient rights to abuse.
        site, origin = first(person.headers, b"sec-fetch-site"), first(person.headers, b"origin")
        foreign = site not in (b"", b"same-origin", b"none")
        if not foreign and origin:
            ours = {_netloc(person.base), _netloc(self._runtime.public_url)}
            foreign = _netloc(origin.decode("latin-1")) not in ours - {""}
        if foreign:
            detail = phrase("For your safety it is taken only from a page of this service.")
            raise Denied(self._faces.refuse(403, Reason.NOT_ACCEPTABLE_ORIGIN, detail, person.headers))

    def rule(self, route: str) -> Rule:
        """The rule of this name, or one for everything."""
        rules = (*self._runtime.policy.rules, self._runtime.policy.default_result)
        return next((rule for rule in rules if rule.name == route), self._any_route)


def _base(message: Message, trusted: bool, scheme: str) -> str:
    host = message.host
    if trusted:
        said = _nearest(first(message.headers, b"x-forwarded-proto"))
        scheme = said.decode("ascii") if said in (b"http", b"https") else scheme
        forwarded = _nearest(first(message.headers, b"x-forwarded-host"))
        host = forwarded if is_host(forwarded) else host
    return f"{scheme}://{host.decode('ascii')}"


def _netloc(origin: str) -> str:
    """Host and port of an origin; empty for what is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _nearest(value: bytes) -> bytes:
    """The first of several values: what the client itself used."""
    return value.partition(b",")[0].strip()


def as_response(own: OwnAnswer) -> Response:
    """An answer of ours as Starlette sends it."""
    response = Response(own.body, own.status)
    response.raw_headers = own.all_headers()
    return response
