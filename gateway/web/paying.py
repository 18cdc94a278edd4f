"""Set out to pay, come back from it, and hear what providers report."""

from __future__ import annotations

import json
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.cover import Cover, cover_of
from gateway.access.keep import OpenRefusal
from gateway.core.header import Headers, first
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.language.catalogue import phrase
from gateway.payments.checkout import BeginOutcome, Begun, ReturnAddresses
from gateway.payments.reconcile import Finding
from gateway.ports.cashbook import CheckoutRecord, CheckoutStatus, SubscriptionStatus
from gateway.ports.payment import ProviderRequest, ProviderUnavailable, WebhookRejected
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.web.answers import OwnAnswer, problem, wants_page
from gateway.web.faces import Faces
from gateway.web.paid_page import Paid, arrived, back_page, checking
from gateway.web.person import Denied, People, Person, as_response
from gateway.web.runtime import Runtime

REPORT_BYTES_LIMIT = 2**20

_REFUSALS = {
    BeginOutcome.OUTDATED: (
        409,
        Reason.OFFER_OUTDATED,
        phrase("A payment was made since. Look at what you have, then go on."),
    ),
    BeginOutcome.PLAN_UNKNOWN: (422, Reason.PLAN_UNKNOWN, phrase("Choose one of the plans of the offer.")),
    BeginOutcome.PROVIDER_UNKNOWN: (
        422,
        Reason.PROVIDER_UNKNOWN,
        phrase("No way to pay is set up here under this name."),
    ),
    BeginOutcome.SIGN_IN: (
        401,
        Reason.IDENTITY_REQUIRED,
        phrase("A plan that costs nothing is for those who have signed in."),
    ),
    BeginOutcome.GIVEN_BEFORE: (
        409,
        Reason.OFFER_OUTDATED,
        phrase("You have had this one before. It is given once."),
    ),
}

_ARRIVED = (CheckoutStatus.PAID, CheckoutStatus.SURPLUS, CheckoutStatus.MISMATCH)
"""Where a checkout stands once a payment has come."""


class Paying:
    """Checkouts, returns and provider reports."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people

    async def begin(self, request: Request) -> Response:
        """POST checkout: open the payment of a plan and send the person to the provider.

        With `beside=app` the payment goes on in a window beside the application, whose script opens it: the answer is
        no redirect, which a script can't read, and the window ends at a page that says to close it.
        """
        person = await self._people.who(request)
        fields = await self._people.form(request, person)
        if fields.get("beside") == "app":
            return _to_be_read(await self._begin(person, fields, is_beside=True))
        return await self._begin(person, fields, is_beside=False)

    async def _begin(self, person: Person, fields: dict[str, str], is_beside: bool) -> Response:
        held = await self._held(person, fields["hold"]) if fields.get("hold") else None
        # What is held says itself which route it is of, and so what it costs.
        rule = self._people.rule(held.route if held else fields.get("route", ""))
        if held is not None and cover_of(held, rule, person.state, self._runtime.now()):
            return person.response(self._to_what_is_theirs(person, rule, held))
        offer = self._faces.offer(person.subject, person.state, rule, held.id if held else "")
        plan, provider = fields.get("plan", ""), fields.get("provider", "")
        if fields.get("offer", offer.id) != offer.id:
            # The page was made before a payment: paying from it must not pay a second time.
            begun = await self._runtime.cashier.look_back(person.subject, fields["offer"], offer, plan, provider)
            return person.response(self._begun(person, begun))
        if person.state.unknown_checkout:
            checking = await self._still_unknown(person)
            if checking:
                return person.response(self._begun(person, Begun(BeginOutcome.CHECKING, checkout=checking)))
        chosen = offer.plan(plan)
        if chosen is not None and chosen.renews and await self._subscribes(person):
            detail = phrase("You have a subscription already: change it, or cancel it first.")
            raise Denied(self._faces.refuse(409, Reason.OFFER_OUTDATED, detail, person.headers))
        page = f"{self._runtime.prefix}/back" if is_beside else ""
        cancel = page or self._faces.offer_address(person.subject, person.state, rule, offer.hold)
        back = ReturnAddresses(
            success=self._kept(person, f"{page or self._runtime.prefix + '/paid'}?checkout={{checkout}}"),
            cancel=self._kept(person, cancel),
            site=self._runtime.public_url or person.base,
        )
        locale = self._faces.languages.of(person.headers).tag
        try:
            begun = await self._runtime.cashier.begin(person.subject, offer, plan, provider, back, locale)
        except ProviderUnavailable:
            detail = phrase("Nothing was charged. Try again in a moment, or choose another way to pay.")
            more: Headers = [(b"retry-after", b"5")]
            raise Denied(self._faces.refuse(503, Reason.PROVIDER_UNAVAILABLE, detail, person.headers, more)) from None
        return person.response(self._begun(person, begun))

    async def _subscribes(self, person: Person) -> bool:
        """Whether a subscription of theirs goes on: a second one beside it would be charged for nothing."""
        goes_on = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
        found = await self._runtime.payments.subscriptions(person.subject)
        return any(each.status in goes_on for each in found)

    async def _still_unknown(self, person: Person) -> str:
        """The checkout of which nobody can say yet whether it was paid: nobody pays a second time meanwhile."""
        checkout, before = person.state.unknown_checkout, ""
        while checkout not in ("", before):
            record = await self._runtime.payments.checkout(person.subject, checkout)
            if record is None:
                return ""
            looked = await self._runtime.reconciler.look_at(person.subject, record, returned=False)
            if looked.finding is Finding.UNKNOWN:
                return checkout
            # Once this one is known, the next is named.
            checkout, before = (await self._runtime.subjects.visit(person.subject)).unknown_checkout, checkout
        return ""

    async def _held(self, person: Person, hold: str) -> HoldRecord:
        """The hold that is to be paid. Raises `Denied` for one that is not theirs."""
        found = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(found, OpenRefusal):
            raise Denied(self._faces.refuse_hold(found, person.headers))
        return found

    def _to_what_is_theirs(self, person: Person, rule: Rule, held: HoldRecord) -> OwnAnswer:
        """A program goes to the result itself. A person would see a download begin on a page that goes on asking for
        money, so theirs is the page that says why there is nothing to pay."""
        address = f"{self._runtime.prefix}/hold/{held.id}"
        if wants_page(person.headers):
            address = self._kept(person, self._faces.offer_address(person.subject, person.state, rule, held.id))
        return self._go_to(person, address, {"outcome": BeginOutcome.ALREADY_PAID.value})

    def _begun(self, person: Person, begun: Begun) -> OwnAnswer:
        if begun.outcome in _REFUSALS:
            status, reason, detail = _REFUSALS[begun.outcome]
            return self._faces.refuse(status, reason, detail, person.headers)
        paid = self._kept(person, f"{self._runtime.prefix}/paid?checkout={begun.checkout}")
        address = begun.address or paid
        return self._go_to(person, address, {"checkout": begun.checkout, "outcome": begun.outcome.value})

    def _kept(self, person: Person, address: str) -> str:
        """An address of ours in the language that the address of this page names."""
        return self._faces.languages.of(person.headers).keep(address, self._runtime.prefix)

    def _go_to(self, person: Person, address: str, content: dict[str, str]) -> OwnAnswer:
        head: Headers = [(b"location", address.encode("ascii"))]
        if wants_page(person.headers):
            return OwnAnswer(303, Reason.PAGE, head)
        head.append((b"content-type", b"application/json"))
        return OwnAnswer(303, Reason.PAGE, head, json.dumps({**content, "address": address}).encode())

    async def paid(self, request: Request) -> Response:
        """GET paid?checkout=…: where a provider sends the person back to. Believes the store, not the address."""
        person = await self._people.who(request)
        checkout = request.query_params.get("checkout", "")
        record = await self._runtime.payments.checkout(person.subject, checkout)
        if record is None:
            raise Denied(self._no_such_payment(person))
        if record.status not in _ARRIVED:
            record = await self._asked(person, record, request.query_params.get("returned") != "no")
        by_itself = request.query_params.get("by-itself") != "no"
        return person.response(await self._outcome(person, record, by_itself))

    async def disclaim(self, request: Request) -> Response:
        """POST paid: "I did not pay". Where the provider says so too, the offer is open again."""
        person = await self._people.who(request)
        fields = await self._people.form(request, person)
        record = await self._runtime.payments.checkout(person.subject, fields.get("checkout", ""))
        if record is None:
            raise Denied(self._no_such_payment(person))
        looked = await self._runtime.reconciler.look_at(person.subject, record, returned=False, disclaimed=True)
        if looked.finding in (Finding.UNKNOWN, Finding.PAID):
            return person.response(self._go_to(person, self._paid_address(record.id), {"checkout": record.id}))
        rule = self._people.rule(record.route)
        offer = self._faces.offer_address(person.subject, person.state, rule, record.hold)
        return person.response(self._go_to(person, offer, {"checkout": record.id}))

    async def back(self, request: Request) -> Response:
        """GET back?checkout=…: where a payment in a window of its own ends. The page is nobody's: the window may not
        know who opened it. Where it does, the provider is asked, as on any return."""
        checkout = request.query_params.get("checkout", "")
        if checkout:
            with suppress(Denied, StoreUnavailable):
                person = await self._people.who(request)
                record = await self._runtime.payments.checkout(person.subject, checkout)
                if record is not None and record.status not in _ARRIVED:
                    await self._asked(person, record, returned=True)
        headers: Headers = list(request.scope["headers"])
        context = back_page(self._runtime.prefix, checkout, self._faces.languages.of(headers))
        return as_response(self._faces.message(context, 200, Reason.PAGE, headers))

    async def _asked(self, person: Person, record: CheckoutRecord, returned: bool) -> CheckoutRecord:
        """The checkout, after asking its provider, whose report may be late or lost. `returned`: the person is back."""
        await self._runtime.reconciler.look_at(person.subject, record, returned)
        return await self._runtime.payments.checkout(person.subject, record.id) or record

    async def _outcome(self, person: Person, record: CheckoutRecord, by_itself: bool) -> OwnAnswer:
        runtime = self._runtime
        release = f"{runtime.prefix}/hold/{record.hold}" if record.hold else ""
        if not wants_page(person.headers):
            content = {"checkout": record.id, "status": record.status.value, "plan": record.plan, "again": record.again}
            if release:
                content["release"] = release
            head: Headers = [(b"content-type", b"application/json")]
            return OwnAnswer(200, Reason.PAGE, head, json.dumps(content).encode())
        if record.status in _ARRIVED:
            context = arrived(await self._paid(person, record, f"{release}?download"))
            return self._faces.message(context, 200, Reason.PAGE, person.headers)
        rule = self._people.rule(record.route)
        offer = self._faces.offer_address(person.subject, person.state, rule, record.hold)
        page, language = f"{runtime.prefix}/paid?checkout={record.id}", self._faces.languages.of(person.headers)
        context, more = checking(record, page, offer, by_itself, language)
        return self._faces.message(context, 200, Reason.PAGE, person.headers, more)

    async def _paid(self, person: Person, record: CheckoutRecord, release: str) -> Paid:
        """What there is to say of a payment that has arrived."""
        runtime = self._runtime
        # Once more, now that the payment is known to be in it: the person may have come before the provider's report.
        state = await runtime.subjects.visit(person.subject)
        found = await runtime.keeper.look(person.subject, record.hold) if record.hold else None
        held = found if isinstance(found, HoldRecord) else None
        cover = cover_of(held, self._people.rule(held.route), state, runtime.now()) if held else None
        if cover in (None, Cover.CREDIT):
            held = None  # nothing that this payment paid for: a link to it would spend something else
        language = self._faces.languages.of(person.headers)
        return Paid(record, state, held, release, runtime.site, runtime.now(), language)

    def _no_such_payment(self, person: Person) -> OwnAnswer:
        detail = phrase("There is no such payment of yours.")
        return self._faces.refuse(404, Reason.NOT_FOUND, detail, person.headers)

    def _paid_address(self, checkout: str) -> str:
        return f"{self._runtime.prefix}/paid?checkout={checkout}"

    async def provider(self, request: Request) -> Response:
        """The provider's own part of our address: its webhook and, for the sandbox, its pages."""
        headers: Headers = list(request.scope["headers"])
        name = request.path_params["name"]
        provider = self._runtime.cashier.providers.get(name)
        if provider is None:
            detail = phrase("No provider of this name is set up.")
            return as_response(self._faces.refuse(404, Reason.PROVIDER_UNKNOWN, detail, headers))
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > REPORT_BYTES_LIMIT:
                return as_response(self._rejected(413, "a report has at most 1 MiB"))
        asked = ProviderRequest(
            request.method, request.path_params["path"], request.scope["query_string"].decode("latin-1"), headers, body
        )
        try:
            answer = await provider.answer(asked, self._runtime.cashier.desk(name))
        except WebhookRejected as rejected:
            return as_response(self._rejected(400, str(rejected)))
        except ProviderUnavailable:
            detail = phrase("The payment provider does not answer for a moment. Nothing is lost: try again.")
            return as_response(
                self._faces.refuse(503, Reason.PROVIDER_UNAVAILABLE, detail, headers, [(b"retry-after", b"5")])
            )
        own = OwnAnswer(answer.status, Reason.PAGE, answer.headers, answer.body)
        if first(answer.headers, b"content-type").startswith(b"text/html"):
            own = self._faces.pages.dress(own, answer.origins)
        return as_response(own)

    def _rejected(self, status: int, why: str) -> OwnAnswer:
        return problem(status, Reason.WEBHOOK_REJECTED, f"The report was not accepted: {why}.", self._runtime.prefix)


def _to_be_read(answer: Response) -> Response:
    """What would lead on, for a script: the same, but for the status that a browser would follow by itself."""
    if answer.status_code == 303:
        answer.status_code = 200
        answer.raw_headers = [pair for pair in answer.raw_headers if pair[0] != b"location"]
    return answer
