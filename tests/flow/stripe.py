"""A gateway that is paid by Stripe, with a fake Stripe beside it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.plugins.pay.fake_stripe.server import FakeStripe
from tests.plugins.pay.fake_stripe.thread import StripeThread, stripe_thread

from .service import COMMAND, FORM, Administered, Reply, Service

KEY, SECRET = "sk_test_flow", "whsec_flow"
ENVIRONMENT = {"STRIPE_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET}
CONFIG = """
data: {data}
upstream: "{upstream}"
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
  - visitor: {{}}
trial: {{length: 14d}}
results_after_trial: {{mode: hold}}
plans:
  - {{id: single, name: This report, price: 3.00 USD, gives: 1 result}}
  - {{id: pro, name: Pro, price: 19.00 USD, gives: 1 month, renews: true}}
  - {{id: max, name: Max, price: 49.00 USD, gives: 1 month, renews: true}}
  - {{id: lite, name: Lite, price: 9.00 USD, gives: 1 month, renews: true}}
payments:
  - stripe:
      secret_key: {{env: STRIPE_KEY}}
      webhook_secrets: [{{env: STRIPE_WEBHOOK_SECRET}}]
      api_base: {fake}
      checkout_origin: {fake}
log: {{format: json}}
routes:
  - {{path: "/report.csv", class: result, name: report}}
  - {{path: "/**", class: open}}
"""


@contextmanager
def selling(folder: Path, upstream: str) -> Iterator[tuple[Service, StripeThread]]:
    """A gateway before this application, and the fake that it sells through."""
    with stripe_thread(FakeStripe(KEY, SECRET, lambda: int(time.time()))) as stripe:
        config = CONFIG.format(data=folder, upstream=upstream, fake=stripe.fake.address)
        service = Administered(folder, config, environment=ENVIRONMENT)
        service.config.write_text(service.config.read_text() + f"public_url: {service.address}\n")
        service.start()
        stripe.fake.webhook = f"{service.address}/_paywall/provider/stripe/webhook"
        try:
            yield service, stripe
        finally:
            code = service.stop()
        assert code == 0


def command(service: Service, *arguments: str) -> str:
    """Run a command of `paywall payments` beside the gateway; what it prints."""
    name, *rest = arguments
    line = [*COMMAND, "payments", name, str(service.config), *rest]
    done = subprocess.run(line, env={**os.environ, **ENVIRONMENT}, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pay_at(page: str, choice: str = "pay") -> str:
    """Press a button on the fake's page; where it leads to then."""
    parts = urlsplit(page)
    there = Service.__new__(Service)
    there.port = parts.port or 0
    answered: Reply = there.request("POST", parts.path, FORM, f"choice={choice}".encode())
    assert answered.status == 303, answered.body
    return answered.header("location")
