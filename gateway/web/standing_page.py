"""What a subject may know of its own standing, what a reason means, and whether the gateway is well."""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from gateway.core.header import Headers
from gateway.core.reason import Reason
from gateway.ports.state import HoldRecord, StoreUnavailable
from gateway.web.answers import TITLES, OwnAnswer, language_header
from gateway.web.faces import Faces
from gateway.web.offer_face import DETAILS, hold_member
from gateway.web.offer_view import instant
from gateway.web.person import People, Person, as_response
from gateway.web.runtime import Runtime

_JSON = (b"content-type", b"application/json")


class StandingPage:
    """The smaller answers of the gateway."""

    def __init__(self, runtime: Runtime, faces: Faces, people: People) -> None:
        self._runtime, self._faces, self._people = runtime, faces, people

    async def me(self, request: Request) -> Response:
        """GET me: the subject's own standing, in full and without judgement."""
        person = await self._people.who(request)
        waiting = await self._runtime.keeper.waiting(person.subject) if person.state.holds else []
        return person.response(_answer(self._standing(person, waiting)))

    def _standing(self, person: Person, waiting: list[HoldRecord]) -> dict[str, object]:
        state, now, default = person.state, self._runtime.now(), self._runtime.policy.default_result
        return {
            "subject": str(person.subject),
            "standing": state.standing(default.grace.count, now).value,
            "trial_ends": instant(state.trial_ends) if state.trial_ends else None,
            "entitled_until": instant(state.entitled_until) if state.entitled_until > now else None,
            "results_paid_for": state.credits,
            "declined": state.decline_reason or None,
            "holds": [hold_member(record, self._runtime.prefix) for record in waiting],
            "offer": f"{self._runtime.prefix}/offer",
        }

    async def problem(self, request: Request) -> Response:
        """GET problems/{reason}: what the type of a problem means (RFC 9457 section 3.1.1)."""
        known = {reason.value: reason for reason in TITLES}
        languages = self._faces.languages
        language = languages.of(request.scope["headers"])
        reason = known.get(request.path_params["reason"])
        if reason is None:
            return as_response(_answer({"detail": "There is no such reason.", "known": sorted(known)}, status=404))
        title, detail = language.say(TITLES[reason]), language.say(DETAILS.get(reason, ""))
        told = _answer({"reason": reason.value, "title": title, "detail": detail})
        vary: Headers = [(b"vary", languages.vary.encode("ascii"))] if languages.vary else []
        return as_response(replace(told, headers=[*told.headers, language_header(language), *vary]))

    async def live(self, request: Request) -> Response:
        """GET health/live: the process answers."""
        return as_response(_answer({"status": "live"}))

    async def ready(self, request: Request) -> Response:
        """GET health/ready: the store answers too. The application's health is its own affair."""
        try:
            await self._runtime.ping()
        except StoreUnavailable as error:
            return as_response(_answer({"status": "not ready", "store": str(error)}, status=503))
        return as_response(_answer({"status": "ready"}))


def _answer(content: dict[str, object], status: int = 200) -> OwnAnswer:
    reason = Reason.PAGE if status < 400 else (Reason.STORE_UNAVAILABLE if status == 503 else Reason.NOT_FOUND)
    return OwnAnswer(status, reason, [_JSON], json.dumps(content, ensure_ascii=False).encode())
