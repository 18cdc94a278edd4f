"""The settings of ways to pay stand on their pages as they stand in the code."""

from __future__ import annotations

import pytest

from gateway.ports.fields import Settings
from gateway.settings.document import read_value
from gateway_pay_invoice.settings import InvoiceSettings

from .page import codes, read, rows

PAGES: dict[str, type[Settings]] = {"payments/invoice.md": InvoiceSettings}
CASES = [(page, name) for page, model in PAGES.items() for name in model.model_fields]


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_is_told_and_none_that_is_not_there(page: str) -> None:
    assert [codes(row[0])[0] for row in rows(read(page))] == [*PAGES[page].model_fields]


@pytest.mark.parametrize(("page", "name"), CASES)
def test_it_is_told_in_the_same_words_with_the_true_default_and_a_good_example(page: str, name: str) -> None:
    model = PAGES[page]
    (row,) = (row for row in rows(read(page)) if codes(row[0]) == [name])
    field = model.model_fields[name]
    assert row[1] == field.description
    if field.is_required():
        assert row[2] == "required"
    elif field.default is None:
        assert row[2] == "none"
    else:
        (default,) = codes(row[2])
        required = {"payee": "P", "iban": "DE02 1203 0000 0000 2020 51"}
        assert getattr(model.model_validate({**required, name: read_value(default)}), name) == field.default
    (example,) = codes(row[3])
    model.model_validate({"payee": "P", "account": ["A"], name: read_value(example)})
