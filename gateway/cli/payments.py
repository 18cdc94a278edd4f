"""`paywall payments …`: what was set out to be paid, and money that is to go back."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put, put_json, say
from gateway.cli.store_access import with_store
from gateway.cli.who import read_subject
from gateway.core.money import Money
from gateway.payments.caring import CareOutcome, Subscriptions
from gateway.payments.checkout import Cashier
from gateway.payments.confirming import Confirmer, NotConfirmed
from gateway.payments.reconcile import Finding, Looked
from gateway.payments.refunding import GiveBackOutcome, Refunder
from gateway.payments.settling import Stand
from gateway.ports.cashbook import SettleOutcome
from gateway.ports.payment import ProviderUnavailable, RefundRefused
from gateway.settings.load import Loaded
from gateway.settings.policy import build_policy
from gateway.store.connection import Store
from gateway.wiring.cash import Cash, open_cash
from gateway.wiring.secret import SecretError, find_secret

app = App(name="payments", help="Checkouts and payments: ask providers about them, give money back, end subscriptions.")

File = Annotated[Path, Parameter(help="The config file.")]
Who = Annotated[str, Parameter(help="Who: person:42, account:7, key:…, visitor:… (a bare word is a person).")]
_AT_A_TIME = 50
T = TypeVar("T")


@app.command
def reconcile(file: File, /, *, json: Annotated[bool, Parameter(help="For programs.", negative="")] = False) -> None:
    """Ask the providers about every checkout of which it is not known how it ended.

    The gateway does so by itself: within minutes at first, once a day in the end. A payment that is found is credited,
    as if its report had come. It can be stopped at any moment.
    """

    async def work(cash: Cash) -> list[Looked]:
        looked: list[Looked] = []
        references = await cash.till.pending.all()
        for number, reference in enumerate(references, 1):
            looked.append(await cash.reconciler.look(reference))
            if number % _AT_A_TIME == 0:
                say(f"{number} of {len(references)} asked about")
        return looked

    found = _with_cash(load_config(file), work)
    if json:
        put_json([{"checkout": each.checkout, "provider": each.provider, "finding": each.finding} for each in found])
    else:
        for each in found:
            if each.finding not in (Finding.OPEN, Finding.GONE):
                put(f"{each.finding:<12}{each.provider:<12}{each.checkout}{'  ' + each.why if each.why else ''}")
    counts = Counter(each.finding for each in found)
    told = ", ".join(f"{counts[finding]} {_WORDS[finding]}" for finding in Finding if counts[finding])
    say(f"{len(found)} asked about{': ' + told if told else ''}")


_WORDS = {
    Finding.PAID: "paid",
    Finding.FAILED: "failed",
    Finding.OPEN: "not paid",
    Finding.UNKNOWN: "still unknown",
    Finding.GONE: "no longer known",
    Finding.NO_PROVIDER: "of a provider that the config has no more",
}


@app.command
def refund(
    file: File,
    subject: Who,
    payment: Annotated[str, Parameter(help="The provider's id of the payment, as the ledger has it.")],
    /,
    *,
    amount: Annotated[str | None, Parameter(help='How much, like "5.00 USD"; all that is left when left out.')] = None,
    operation: Annotated[
        str | None, Parameter(help="A name for this refund: the same one again gives nothing back.", metavar="NAME")
    ] = None,
) -> None:
    """Give a payment back through its provider. With the last of it goes what it gave, as far as it was not used."""
    who = read_subject(subject)
    try:
        wanted = Money.parse(amount) if amount else None
    except ValueError as error:
        raise CommandFailed(f"--amount: {error}") from None
    named = operation or secrets.token_hex(8)

    async def work(cash: Cash) -> None:
        try:
            given = await Refunder(cash.till, cash.providers).give_back(who, payment, wanted, named)
        except ProviderUnavailable as error:
            again = f"ask again with --operation {named}, which gives nothing back twice"
            raise CommandFailed(f"the provider did not answer ({error}), and it may have happened: {again}") from None
        except RefundRefused as error:
            raise CommandFailed(f"the provider gives nothing back: {error}") from None
        match given.outcome:
            case GiveBackOutcome.GIVEN_BACK:
                say(f"{given.amount} given back by {given.provider}")
            case GiveBackOutcome.ON_ITS_WAY:
                say(f"{given.amount} are on their way; {given.provider} reports when they are there")
            case GiveBackOutcome.UNKNOWN_PAYMENT:
                raise CommandFailed(f"{who} has no payment {payment!r}: see `paywall subject export`")
            case GiveBackOutcome.TOO_MUCH:
                raise CommandFailed(f"of this payment {given.amount} is left: give back that much at most")
            case GiveBackOutcome.NOT_POSSIBLE:
                raise CommandFailed(
                    f"{given.provider} can't give back from here: do it there; the gateway hears of it by its webhook"
                )

    _with_cash(load_config(file), work)


@app.command
def cancel(
    file: File,
    subject: Who,
    subscription: Annotated[str, Parameter(help="The provider's id of the subscription.")],
    /,
) -> None:
    """Let a subscription end with the period that is paid."""
    who, loaded = read_subject(subject), load_config(file)

    async def work(cash: Cash) -> None:
        cares = Subscriptions(Cashier(cash.till, cash.providers), build_policy(loaded.settings))
        try:
            outcome = await cares.cancel(who, subscription)
        except ProviderUnavailable as error:
            raise CommandFailed(f"the provider did not answer ({error}): try again, nothing happens twice") from None
        if outcome is CareOutcome.UNKNOWN:
            raise CommandFailed(
                f"{who} has no subscription {subscription!r} that goes on: see `paywall subject export`"
            )
        if outcome is CareOutcome.NOT_POSSIBLE:
            raise CommandFailed("its provider is not in the config any more, or can't end it from here: end it there")
        say("it ends with the period that is paid")

    _with_cash(load_config(file), work)


@app.command
def decide(
    file: File,
    reference: Annotated[str, Parameter(help="The payment, as standard error names it.")],
    /,
    *,
    transaction: Annotated[
        str | None, Parameter(help="The transaction that brought the money, as the network names it.")
    ] = None,
    not_paid: Annotated[bool, Parameter(help="No money came, and none can come any more.", negative="")] = False,
) -> None:
    """Say what became of a payment by x402 of which nobody else can: after looking at the network.

    With a transaction it is credited, and the result is there. Without, it can be paid for again.
    """
    if bool(transaction) == not_paid:
        raise CommandFailed("say either --transaction with what you found, or --not-paid")

    async def work(cash: Cash) -> None:
        if cash.signed is None:
            raise CommandFailed("this config takes no payments by x402: add `x402`")
        read = cash.till.references.read(reference)
        who = await cash.till.payments.subject(read[0]) if read else None
        record = await cash.till.payments.checkout(who, read[1]) if read and who else None
        found = await cash.signed.decide(record.session, transaction or "") if record is not None else None
        if found is Stand.SETTLED:
            say("it is credited, and the result is there")
        elif found is Stand.FAILED:
            say("it is not paid, and can be paid for again")
        elif found is Stand.BUSY:
            raise CommandFailed("the facilitator is being asked about it: try again in a minute")
        else:
            raise CommandFailed(f"{reference!r} is no payment that is in doubt: it may be decided by now")

    _with_cash(load_config(file), work)


@app.command
def confirm(
    file: File,
    number: Annotated[str, Parameter(help="The payment number, as the payer wrote it: RF18 5390 0754 7034.")],
    /,
    *,
    amount: Annotated[str, Parameter(help='What has come, like "19.00 EUR".')],
    payment: Annotated[str, Parameter(help="The bank's own name of the transfer: given twice, it counts once.")],
) -> None:
    """Say that a bank transfer has come: what was bought is given at once."""
    try:
        come = Money.parse(amount)
    except ValueError as error:
        raise CommandFailed(f"--amount: {error}") from None

    async def work(cash: Cash) -> None:
        done = await Confirmer(cash.till, cash.providers).confirm(number, come, payment)
        if done.outcome in _REFUSED or done.checkout is None:
            raise CommandFailed(_REFUSED[done.outcome])
        of = f"{done.subject} for {done.checkout.plan!r}"
        match done.outcome:
            case SettleOutcome.SETTLED:
                say(f"{come} of {of} is credited")
            case SettleOutcome.REPLAYED:
                say(f"{payment!r} of {of} was credited before: nothing was credited again")
            case SettleOutcome.MISMATCH:
                asked = f"{come} is not the {done.checkout.price} that {of} was asked for"
                raise CommandFailed(
                    f"{asked}: it is on the ledger; give it back, or `paywall subject grant` what it buys"
                )
            case _:
                raise CommandFailed(
                    f"{come} of {of} gave nothing ({done.outcome}): it is on the ledger, so give it back"
                )

    _with_cash(load_config(file), work)


_REFUSED: dict[SettleOutcome | NotConfirmed, str] = {
    NotConfirmed.NO_PROVIDER: "no payments are confirmed here: the config has no `invoice` among its `payments`",
    NotConfirmed.NOT_FOUND: "no checkout that waits for its payment has this number: it is paid, older than 180 days, "
    "or another gateway's",
    NotConfirmed.SEVERAL: "more than one checkout has this number: ask the payer, then `paywall subject grant`",
}


def _with_cash(loaded: Loaded, work: Callable[[Cash], Awaitable[T]]) -> T:
    async def with_providers(store: Store) -> T:
        try:
            async with open_cash(loaded, store, find_secret(loaded.settings), say) as cash:
                return await work(cash)
        except (SecretError, RuntimeError, ValueError) as error:
            raise CommandFailed(str(error)) from None

    return with_store(loaded.settings, with_providers)
