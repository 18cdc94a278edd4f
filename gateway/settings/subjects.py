"""The sections of the config about subjects: their trial, and how long they are known."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.core.quantity import DAY
from gateway.ports.fields import Settings
from gateway.settings.quantity import MailSourceField, PerNetwork, PositiveTime, StartsField, Time
from gateway.settings.written import written


class OncePer(Settings):
    """What a trial is given once for, besides the subject."""

    mail: MailSourceField | None = Field(
        default=None,
        description="Where a subject's address of mail is: `claim:NAME` of its token, or `subject` where its id is "
        "one. Of all who have the same one, the first has the trial.",
        examples=["claim:email"],
    )
    network: PerNetwork | None = Field(
        default=None,
        description="So many trials begin from one network (/24, or /48 of IPv6) within a time.",
        examples=["5 per 30d"],
    )
    device: bool = Field(
        default=False,
        description="Whether only the first person who signs in from a browser has a trial there. The browser is known "
        "again by a signed cookie, `paywall_device`, which says nothing of anybody.",
        examples=[True],
    )
    kept: PositiveTime = Field(
        default=written("400d"),
        description="How long an address of mail and a browser are remembered, as keyed hashes.",
        examples=["2000d"],
    )


class Trial(Settings):
    """The trial that every subject gets once."""

    length: Time = Field(
        default=written("14d"),
        description="How long the trial lasts. `0s` gives none.",
        examples=["30d"],
    )
    starts: StartsField = Field(
        default=written("first-visit"),
        description="What starts it: `first-visit`, `first-result`, or `claim:NAME` for a date in the subject's token.",
        examples=["first-result", "claim:created_at"],
    )
    once_per: OncePer = Field(
        default=written({}),
        description="What else than the subject a trial is given once for.",
        examples=[{"mail": "claim:email", "network": "5 per 30d"}],
    )


def _at_least_a_day(milliseconds: int) -> int:
    if milliseconds < DAY:
        raise ValueError("must be at least 1d: it is renewed once a day")
    return milliseconds


class Retention(Settings):
    """When the store forgets whoever only looked around."""

    subjects: Annotated[PositiveTime, AfterValidator(_at_least_a_day)] | None = Field(
        default=None,
        description="How long a subject is kept after its last visit that asked the store, if it has no ledger, no "
        "open checkout and no held result. For ever when left out.",
        examples=["400d"],
    )
    trials: Annotated[PositiveTime, AfterValidator(_at_least_a_day)] | None = Field(
        default=None,
        description="How long it is still known then that it had a trial, counted from the same visit. For ever when "
        "left out.",
        examples=["1200d"],
    )
