"""Stripe keeps what every payment provider promises."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.testing.payment_provider import HostedContract, SignedContract
from gateway.testing.payment_refunds import RefundingContract
from gateway.testing.payment_renewals import RenewingContract
from tests.plugins.pay.stripe_rig import StripeRig, stripe_rig


class TestStripe(HostedContract, SignedContract, RefundingContract, RenewingContract):
    @pytest.fixture
    async def rig(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeRig]:
        async with stripe_rig(monkeypatch) as rig:
            yield rig
