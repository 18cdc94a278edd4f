"""What the gateway itself shows: offers and errors, to people as pages and to programs as problem details."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.access.cover import cover_of
from gateway.access.decide import without_general_credits
from gateway.access.keep import OpenRefusal
from gateway.core.event import OfferShown
from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.core.rule import Rule
from gateway.core.standing import SubjectState
from gateway.core.subject import Subject
from gateway.language.catalogue import phrase
from gateway.language.choice import Languages
from gateway.language.language import ENGLISH, Language, Sentence
from gateway.payments.offer import Offer, make_offer
from gateway.ports.cashbook import Subscription
from gateway.ports.payment import Renewing
from gateway.ports.state import HoldRecord
from gateway.web.agents import OFFERED_FOR, Agents, Refusal
from gateway.web.answers import TITLES, OwnAnswer, problem, sentence, wants_page
from gateway.web.message import BadMessage, Message
from gateway.web.notice import Notices
from gateway.web.offer_face import OfferFace, Situation
from gateway.web.offer_view import open_until, to_use
from gateway.web.pages import Pages
from gateway.web.runtime import Runtime


class Faces:
    """The gateway's own answers, in the form that the request asks for."""

    def __init__(self, runtime: Runtime) -> None:
        self.pages = Pages(runtime.site, runtime.prefix, runtime.log)
        self.languages = Languages(runtime.site.languages)
        self.notices = Notices(runtime, self.languages)
        self.agents = Agents(runtime, runtime.signed) if runtime.signed is not None else None
        """None where programs don't pay with the request itself."""
        self._runtime = runtime
        self._face = OfferFace(self.pages, runtime.site, runtime.prefix)
        self._key = runtime.keyring.key("offers")
        providers = runtime.cashier.providers
        self._providers = tuple((name, provider.label) for name, provider in providers.items())
        self._renewing = frozenset(name for name, provider in providers.items() if isinstance(provider, Renewing))
        self._origins = tuple(origin for provider in providers.values() for origin in provider.form_origins)
        vary = ", ".join(
            filter(
                None,
                ("Accept, Sec-Fetch-Mode, X-Requested-With", self.languages.vary, runtime.identities.vary),
            )
        )
        self.vary: Headers = [(b"vary", vary.encode("ascii"))]
        """What the form of an answer depends on, and who it is for."""

    def prompt(
        self,
        subject: Subject,
        state: SubjectState,
        rule: Rule,
        reason: Reason,
        headers: Headers,
        record: HoldRecord | None = None,
        status: int = 402,
        waiting: tuple[HoldRecord, ...] = (),
        subscriptions: tuple[Subscription, ...] = (),
        resource: str = "",
        challenge: Headers | None = None,
    ) -> OwnAnswer:
        """The offer for this subject on this route, in the form the request's `headers` ask for. `resource` is where a
        program may pay for it with the request itself; empty where it may not. `challenge` says other ways to do so."""
        runtime, now = self._runtime, self._runtime.now()
        hold, language = record.id if record else "", self.languages.of(headers)
        state = without_general_credits(rule, state)
        situation = Situation(
            reason=reason,
            standing=state.standing(rule.grace.count, now),
            offer=self.offer(subject, state, rule, hold),
            record=record,
            cover=cover_of(record, rule, state, now) if record else None,
            rights=tuple(filter(None, (open_until(state, now, language), to_use(state, language)))),
            providers=self._providers,
            form_origins=self._origins,
            waiting=waiting,
            looked_up=status == 200,
            language=language,
            results=state.results,
            renewing=self._renewing,
            checking=f"{runtime.prefix}/paid?checkout={state.unknown_checkout}" if state.unknown_checkout else "",
            subscriptions=subscriptions,
        )
        as_page = wants_page(headers)
        runtime.events.record(
            OfferShown(
                at=now,
                subject=runtime.keyring.pseudonym(subject),
                route=rule.name,
                hold=hold,
                reason=reason.value,
                face="page" if as_page else "problem",
            )
        )
        more: Headers = []
        if reason in OFFERED_FOR and not state.unknown_checkout:
            if self.agents is not None and resource:
                more += self.agents.offered(subject, rule, hold, resource)
            more += challenge or []
        return self._face.show(situation, as_page, status, [*self.vary, *more])

    def resource(self, scheme: str, message: Message) -> str:
        """Where a payment for this request may be sent: to where it was; empty where none is taken."""
        if self.agents is None or message.method in ("HEAD", "OPTIONS"):
            return ""
        site = self._runtime.public_url or f"{scheme}://{message.host.decode('latin-1')}"
        return site + message.target.partition(b"#")[0].decode("latin-1")

    def refuse_payment(
        self,
        refusal: Refusal,
        subject: Subject,
        rule: Rule,
        hold: str,
        resource: str,
        headers: Headers,
        receipt: Headers,
    ) -> OwnAnswer:
        """Why a payment that came with a request has bought nothing, and how it can."""
        more = [*receipt]
        if refusal.retry_seconds:
            more.append((b"retry-after", b"%d" % refusal.retry_seconds))
        if refusal.asks_again and self.agents is not None and resource:
            offered = self.agents.offered(subject, rule, hold, resource, ENGLISH.say(refusal.detail))
            more += [pair for pair in offered if pair not in more]
        return self.refuse(refusal.status, refusal.reason, refusal.detail, headers, more)

    def offer(self, subject: Subject, state: SubjectState, rule: Rule, hold: str = "") -> Offer:
        """The offer for this subject on this route, with what is held for it."""
        return make_offer(self._key, subject.key, self._runtime.policy, rule.name, hold, state.settled)

    def offer_address(self, subject: Subject, state: SubjectState, rule: Rule, hold: str = "") -> str:
        """Where that offer is shown."""
        return self._face.address(self.offer(subject, state, rule, hold))

    def refuse(
        self, status: int, reason: Reason, detail: str | Sentence, headers: Headers, more: Headers | None = None
    ) -> OwnAnswer:
        """An error, in the form and the language the request's `headers` ask for."""
        head, language = [*self.vary, *(more or [])], self.languages.of(headers)
        if not wants_page(headers):
            return problem(status, reason, detail, self._runtime.prefix, headers=head, language=language)
        context = error_page(reason, detail, self._runtime.prefix, language)
        return self.message(context, status, reason, headers, head)

    def refuse_message(self, bad: BadMessage) -> OwnAnswer:
        """What is wrong with a request that could not be read so far that it would say who asks, and how."""
        return self.refuse(bad.status, bad.reason, sentence(self.languages.of([]).say(bad.sentence)), [])

    def message(
        self,
        context: Mapping[str, object],
        status: int,
        reason: Reason,
        headers: Headers,
        more: Headers | None = None,
    ) -> OwnAnswer:
        """A page that says one thing, in the language the request's `headers` ask for."""
        return self.pages.answer("message.html", context, status, reason, more, (), self.languages.of(headers))

    def refuse_hold(self, refusal: OpenRefusal, headers: Headers) -> OwnAnswer:
        """Why a held result is not given out."""
        status, reason, detail = _HOLD_REFUSALS[refusal]
        return self.refuse(status, reason, detail, headers)


def error_page(reason: Reason, detail: str | Sentence, prefix: str, language: Language = ENGLISH) -> dict[str, object]:
    """What the page of an error says: what happened, how to go on, and the word for it when asking for help."""
    links = [{"address": f"{prefix}/offer", "text": language.say("Go to the offer"), "primary": True}]
    return {
        "title": language.say(TITLES[reason]),
        "detail": language.say(detail),
        "facts": {},
        "links": links if reason in _LEADS_TO_OFFER else [],
        "code": reason.value,
        "refresh": "",
    }


_LEADS_TO_OFFER = frozenset(
    {Reason.OFFER_OUTDATED, Reason.PLAN_UNKNOWN, Reason.PROVIDER_UNKNOWN, Reason.PROVIDER_UNAVAILABLE}
)
"""Errors on the way to pay: the offer is where they can be mended."""

_HOLD_REFUSALS = {
    OpenRefusal.UNKNOWN: (404, Reason.HOLD_UNKNOWN, phrase("No result was ever kept under this address.")),
    OpenRefusal.ANOTHERS: (403, Reason.HOLD_OF_ANOTHER, phrase("Sign in as whoever asked for it, and it is there.")),
    OpenRefusal.EXPIRED: (
        410,
        Reason.HOLD_EXPIRED,
        phrase("The time for which it was kept is over. Ask for it again."),
    ),
    OpenRefusal.UNPAID: (
        402,
        Reason.HOLD_UNPAID,
        phrase("It is kept for you, unchanged, until it expires. Pay to have it."),
    ),
}
"""Status, reason and sentence for each."""
