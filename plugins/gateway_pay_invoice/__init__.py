"""Payment by bank transfer: a page and a PDF that say whom to pay; an operator confirms what has arrived."""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_invoice.provider import InvoiceProvider
from gateway_pay_invoice.settings import InvoiceSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="Bank transfer with a payment request as PDF, confirmed by a person (PDF needs the extra `invoice`).",
    settings=InvoiceSettings,
    create=InvoiceProvider,
)
