"""Look after a subscription: cancel it, or go over to another plan."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.core.reason import Reason
from gateway.language.catalogue import phrase
from gateway.payments.caring import CareOutcome, Subscriptions
from gateway.ports.payment import ProviderUnavailable
from gateway.web.answers import OwnAnswer, wants_page
from gateway.web.faces import Faces
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime

_REFUSALS = {
    CareOutcome.UNKNOWN: (404, Reason.NOT_FOUND, phrase("You have no such subscription that goes on.")),
    CareOutcome.PLAN_UNKNOWN: (422, Reason.PLAN_UNKNOWN, phrase("Choose one of the plans that renew.")),
    CareOutcome.OUTDATED: (
        409,
        Reason.OFFER_OUTDATED,
        phrase("A payment was made since. Look at what you have, then go on."),
    ),
    CareOutcome.NOT_POSSIBLE: (
        409,
        Reason.PROVIDER_UNKNOWN,
        phrase("It can't be changed from here. Ask the service to do it."),
    ),
}


_CANCELLED = phrase("It ends with the period that is paid; until then everything stays open. Nothing more is charged.")
_CHANGED = phrase(
    "A dearer plan begins at once, and what you have paid is taken into account; a cheaper one begins with the next "
    "period."
)


class Subscribing:
    """Takes what somebody wants of their own subscription."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people

    async def change(self, request: Request) -> Response:
        """POST subscription: `do=cancel`, or `do=change` with a `plan`."""
        person = await self._people.who(request)
        fields = await self._people.form(request, person)
        name, plan = fields.get("subscription", ""), fields.get("plan", "")
        cares = Subscriptions(self._runtime.cashier, self._runtime.policy)
        try:
            if fields.get("do") == "change":
                outcome = await cares.change(person.subject, name, plan, person.state.settled)
            else:
                outcome = await cares.cancel(person.subject, name)
        except ProviderUnavailable:
            detail = phrase("Nothing was changed. Try again in a moment.")
            again = [(b"retry-after", b"5")]
            raise Denied(self._faces.refuse(503, Reason.PROVIDER_UNAVAILABLE, detail, person.headers, again)) from None
        if outcome in _REFUSALS:
            status, reason, detail = _REFUSALS[outcome]
            raise Denied(self._faces.refuse(status, reason, detail, person.headers))
        return person.response(self._done(person, outcome, plan))

    def _done(self, person: Person, outcome: CareOutcome, plan_id: str) -> OwnAnswer:
        if not wants_page(person.headers):
            return OwnAnswer(204, Reason.PAGE)
        language = self._faces.languages.of(person.headers)
        plan = self._runtime.policy.plan(plan_id)
        if outcome is CareOutcome.CANCELLED:
            title, detail = language.say("Your subscription is cancelled"), language.say(_CANCELLED)
        else:
            name = language.own(plan.name) if plan else plan_id
            title, detail = language.say("Your subscription changes to %(name)s", name=name), language.say(_CHANGED)
        context: dict[str, object] = {
            "title": title, "detail": detail, "facts": {}, "code": "", "refresh": "",
            "links": [{"address": "/", "text": language.say("Go on browsing"), "primary": True}],
        }  # fmt: skip
        return self._faces.message(context, 200, Reason.PAGE, person.headers)
