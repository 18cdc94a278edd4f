"""Look at the gateway as somebody else: each switch makes a new person with the standing that was asked for."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from gateway.core.quantity import DAY
from gateway.core.subject import Subject, SubjectKind
from gateway.ports.operations import Operations
from gateway.ports.state import Subjects

COOKIE = b"paywall_demo"
_ID = re.compile(r"(trial|expired|refusing|paying)-[A-Za-z0-9_-]{8,16}")


@dataclass(frozen=True, slots=True)
class Persona:
    """One standing to look from."""

    name: str
    label: str
    hint: str
    """What there is to see."""


PERSONAS = (
    Persona("trial", "Trial", "Everything passes. Export a table as CSV: it downloads."),
    Persona("expired", "Expired", "Browsing stays open. Export a table as CSV: it is made, kept back, and offered."),
    Persona("refusing", "Said “not now”", "Browsing stays open. Exports are not even made; the offer stays."),
    Persona("paying", "Paying", "Everything passes, byte for byte."),
)


def current(cookie_header: bytes) -> str:
    """The person of a cookie header; empty when there is none."""
    for pair in cookie_header.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        text = value.decode("latin-1")
        if name == COOKIE and _ID.fullmatch(text):
            return text
    return ""


def new_person(persona: str) -> str:
    """A person nobody has seen yet."""
    return f"{persona}-{secrets.token_urlsafe(8)}"


async def prepare(person: str, subjects: Subjects, operations: Operations) -> None:
    """Bring a new person into the standing its name says."""
    subject = Subject(SubjectKind.PERSON, person)
    match person.partition("-")[0]:
        case "expired":
            await operations.expire(subject)
        case "refusing":
            await operations.expire(subject)
            await subjects.decline(subject, "not-now", "said in the demo")
        case "paying":
            await operations.grant(subject, "demo", period_ms=30 * DAY)
