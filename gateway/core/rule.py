"""What the config says about one route, in the words of the decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.money import Money
from gateway.core.quantity import NOTHING, Allowance


class RouteClass(StrEnum):
    """What a route yields."""

    OPEN = "open"
    ACTION = "action"
    RESULT = "result"
    EXEMPT = "exempt"


class Mode(StrEnum):
    """What happens to a result that is not paid for."""

    HOLD = "hold"
    """It is produced, kept back, and released on payment."""
    BLOCK = "block"
    """It is not produced: the request has no effect."""
    PREVIEW = "preview"
    """It is produced and only its teaser shown; nothing is kept."""


class StoreFailure(StrEnum):
    """What a result route does while the store does not answer."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class AnswerCondition:
    """Conditions on the head of the application's answer; any of them makes the answer a result."""

    attachment: bool = False
    media_types: frozenset[str] = frozenset()
    """Lower case, without parameters; `text/*` matches a whole family."""
    declared: bool = True
    """Whether `Paywall-Result: yes` from the application counts."""


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """A field of a request's body that must have one of these values."""

    path: tuple[str, ...]
    """Names from the outside in: `("filter", "type")`."""
    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class GraphqlCondition:
    """What a GraphQL request runs: an operation of one of these names, one of these fields at its root, or a query
    that the application keeps under one of these ids. Any of them fits."""

    operations: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    persisted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BodyCondition:
    """Conditions on the body of a request; all of them must fit, in a batch for any of its items."""

    fields: tuple[FieldCondition, ...] = ()
    graphql: GraphqlCondition | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One route of the config. `name` is the word for it in logs, events and offers."""

    name: str
    route_class: RouteClass
    path: str = "/**"
    methods: frozenset[str] = frozenset()
    """Upper case; empty means every method. GET covers HEAD."""
    query: tuple[tuple[str, str | None], ...] = ()
    """Parameters that must be there, with this value or (None) with any."""
    body: BodyCondition | None = None
    answer: AnswerCondition | None = None
    mode: Mode = Mode.HOLD
    grace: Allowance = NOTHING
    grace_scope: str = ""
    """The purse that grace is taken from: the route's own name where the route sets its own, else the common one."""
    price: Money | None = None
    on_store_failure: StoreFailure = StoreFailure.REFUSE
    line: int = 0
    """Where the rule stands in the config file, for `explain`."""

    def allows_method(self, method: str) -> bool:
        """Whether the rule speaks of this method. HEAD is always read as GET (RFC 9110 section 9.3.2)."""
        return not self.methods or method in self.methods or (method == "HEAD" and "GET" in self.methods)


class PeriodUnit(StrEnum):
    """What a subscription's period is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a subscription goes on."""

    unit: PeriodUnit
    count: int = 1
    """It is paid every so many units."""
    grace_ms: int = 0
    """How long results stay open after the end of what is paid, while the next payment is still to come."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Something that can be bought: `results` or `period_ms`, or neither: then the held result alone, at the price of
    its route."""

    id: str
    name: str
    price: Money
    results: int = 0
    period_ms: int = 0
    renews: Renewal | None = None
    """Set for a subscription, which gives `period_ms` with each payment where the provider names no date."""

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing: it is taken without a provider, once."""
        return self.price.minor == 0


class TrialStart(StrEnum):
    """What starts a subject's trial."""

    FIRST_VISIT = "first-visit"
    FIRST_RESULT = "first-result"
    CLAIM = "claim"
    """A date in the subject's token."""


@dataclass(frozen=True, slots=True)
class OncePer:
    """What a trial is given once for, besides the subject."""

    mail_claim: str = ""
    """The claim of the subject's token that holds its address of mail."""
    mail_is_subject: bool = False
    """Whether the subject's id is an address of mail."""
    network: Allowance = NOTHING
    """So many trials for one network; none: any number."""
    device: bool = False
    """Whether whoever signs in from a browser that another had the trial from has none."""
    kept_ms: int = 0
    """How long an address of mail and a browser are remembered."""

    @property
    def asks(self) -> bool:
        """Whether there is anything to ask for."""
        return bool(self.mail_claim or self.mail_is_subject or self.device or self.network.count)


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial that every subject gets once."""

    length_ms: int
    starts: TrialStart = TrialStart.FIRST_VISIT
    claim: str = ""
    """Name of the claim that holds the date, where `starts` is CLAIM."""
    once: OncePer = OncePer()


class Framework(StrEnum):
    """What an application may be built with that serves the data of a page at an address of its own."""

    NEXTJS = "nextjs"
    REACT_ROUTER = "react-router"
    SVELTEKIT = "sveltekit"
    NUXT = "nuxt"
    GATSBY = "gatsby"
    RAILS = "rails"
    DJANGO_REST = "django-rest"


class NoticeShow(StrEnum):
    """Whom the application's own pages tell where they stand."""

    NEVER = "never"
    AFTER_TRIAL = "after-trial"
    """Whoever's trial is over and has nothing paid."""
    ALWAYS = "always"
    """They, and whoever is in the trial."""


class OverlayPlace(StrEnum):
    """How the overlay comes into the application's pages."""

    BY_HAND = "by-hand"
    """The application's own pages name its script."""
    INJECT = "inject"
    """The gateway puts it in."""


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """How long and how much may be kept back."""

    ttl_ms: int
    max_size: int
    max_count: int
    max_total: int
    """Count and bytes for one subject; `max_size` bytes for one result."""
    max_wait_ms: int
    """A result that is not complete after this long counts as endless."""
    reuse_ms: int
    """The same GET asked again within this time shows the result that is already held."""


DEFAULT_HOLD_LIMITS = HoldLimits(
    ttl_ms=7 * 86_400_000,
    max_size=16 * 2**20,
    max_count=20,
    max_total=64 * 2**20,
    max_wait_ms=120_000,
    reuse_ms=600_000,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole config as far as deciding goes: an immutable snapshot."""

    rules: tuple[Rule, ...]
    trial: Trial
    default_result: Rule
    """How an answer is treated that the application itself declares a result on a route that is none."""
    plans: tuple[Plan, ...] = ()
    hold_limits: HoldLimits = DEFAULT_HOLD_LIMITS
    body_limit: int = 64 * 1024
    """Larger bodies are not looked into."""
    canonical_redirect: bool = True
    allow_encoded_slash: bool = False
    frameworks: tuple[Framework, ...] = ()
    """Whose other addresses of a page count as the page."""
    notice: NoticeShow = NoticeShow.NEVER
    overlay: OverlayPlace = OverlayPlace.BY_HAND

    def plan(self, plan_id: str) -> Plan | None:
        """The plan with this id."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)
