"""The offer at an address of its own, and the answer "not now"."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.decide import standing_on
from gateway.access.keep import OpenRefusal
from gateway.core.event import OfferDeclined
from gateway.core.reason import Reason
from gateway.core.standing import Standing
from gateway.language.language import ENGLISH, Language, Sentence
from gateway.ports.cashbook import Subscription
from gateway.ports.state import HoldRecord
from gateway.web.answers import OwnAnswer, wants_page
from gateway.web.faces import Faces
from gateway.web.person import Denied, People, Person
from gateway.web.runtime import Runtime

NOTE_LIMIT = 2000


class Offering:
    """Shows offers by their address and takes refusals."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people

    async def show(self, request: Request) -> Response:
        """GET offer?route=…&hold=…: what was offered, again. A page of its own is no error: status 200."""
        route, hold = request.query_params.get("route", ""), request.query_params.get("hold", "")
        rule = self._people.rule(route)
        person = await self._people.who(request, rule)
        record = await self._record(person, hold) if hold else None
        rule = self._people.rule(record.route) if record else rule
        waiting = tuple(await self._waiting(person))
        reason = Reason.PAYMENT_REQUIRED if record is None else Reason.HOLD_UNPAID
        if record is None and standing_on(rule, person.state, self._runtime.now()) is Standing.DECLINED:
            reason = Reason.DECLINED
        answer = self._faces.prompt(
            person.subject,
            person.state,
            rule,
            reason,
            person.headers,
            record,
            status=200,
            waiting=waiting,
            subscriptions=await self._subscriptions(person),
        )
        return person.response(answer)

    async def decline(self, request: Request) -> Response:
        """POST decline: "not now", with a reason. Results stay closed; browsing and the offer stay open."""
        person = await self._people.who(request)
        fields = await self._people.form(request, person)
        reason, route = fields.get("reason", ""), fields.get("route", "")
        known = {each.id for each in self._runtime.site.reasons}
        if reason not in known:
            said = Sentence("Choose one of the reasons: %(reasons)s.", {"reasons": ", ".join(sorted(known))})
            raise Denied(self._faces.refuse(422, Reason.FORM_INVALID, said, person.headers))
        await self._runtime.subjects.decline(person.subject, reason, fields.get("note", "")[:NOTE_LIMIT])
        self._runtime.events.record(
            OfferDeclined(
                at=self._runtime.now(),
                subject=self._runtime.keyring.pseudonym(person.subject),
                route=self._people.rule(route).name,
                why=reason,
            )
        )
        return person.response(self._declined(person, route, fields.get("hold", "")))

    def _declined(self, person: Person, route: str, hold: str) -> OwnAnswer:
        if not wants_page(person.headers):
            return OwnAnswer(204, Reason.DECLINED)
        offer = self._faces.offer_address(person.subject, person.state, self._people.rule(route), hold)
        context = declined_page(offer, self._faces.languages.of(person.headers))
        return self._faces.message(context, 200, Reason.DECLINED, person.headers)

    async def _record(self, person: Person, hold: str) -> HoldRecord:
        found = await self._runtime.keeper.look(person.subject, hold)
        if isinstance(found, OpenRefusal):
            raise Denied(self._faces.refuse_hold(found, person.headers))
        return found

    async def _subscriptions(self, person: Person) -> tuple[Subscription, ...]:
        """Those that results are open by, to be seen and cancelled."""
        if person.state.entitled_until <= self._runtime.now():
            return ()
        found = await self._runtime.payments.subscriptions(person.subject)
        return tuple(each for each in found if each.open_until > self._runtime.now())

    async def _waiting(self, person: Person) -> list[HoldRecord]:
        return await self._runtime.keeper.waiting(person.subject) if person.state.holds else []


def declined_page(offer: str, language: Language = ENGLISH) -> dict[str, object]:
    """What is said to whoever said "not now". `offer` is where the offer is still shown."""
    say = language.say
    return {
        "title": say("Understood: not now"),
        "detail": say(
            "Browsing stays open as before. Results are not made for you until you choose a plan; what is already kept "
            "for you stays kept until it expires. Thank you for telling us why."
        ),
        "facts": {},
        "code": "",
        "refresh": "",
        "links": [
            {"address": "/", "text": say("Go on browsing"), "primary": True},
            {"address": offer, "text": say("I changed my mind: show the offer"), "primary": False},
        ],
    }
