"""`paywall wallet …`: money that a subject has with the service."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put
from gateway.cli.store_access import with_store
from gateway.cli.who import read_subject
from gateway.core.money import Money

app = App(name="wallet", help="Money that a subject has with the service, and can pay with.")

File = Annotated[Path, Parameter(help="The config file.")]
Who = Annotated[str, Parameter(help="Who: person:42, account:7, key:…, visitor:… (a bare word is a person).")]


@app.command
def credit(
    file: File,
    subject: Who,
    amount: Annotated[str, Parameter(help='How much, like "5.00 USD".')],
    /,
    *,
    why: Annotated[str, Parameter(help="For the ledger: why.")] = "",
    operation: Annotated[
        str | None, Parameter(help="A name for this: the same one again changes nothing.", metavar="NAME")
    ] = None,
) -> None:
    """Put money into a subject's wallet. It is entered on the ledger; says what is in the wallet then."""
    who = read_subject(subject)
    try:
        money = Money.parse(amount)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    if not money.minor:
        raise CommandFailed("nothing is put in: write an amount above zero, like 5.00 USD")
    named = operation or secrets.token_hex(8)
    balance = with_store(load_config(file).settings, lambda store: store.payments.credit(who, named, money, why[:200]))
    put(str(balance))
