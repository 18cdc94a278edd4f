"""A public kit for tests of plugins: what every plugin of a kind promises, as classes of tests for pytest.

- `payment_provider`, `payment_refunds`, `payment_renewals`: the promises of payment providers.
- `payment_rig`: what such tests need of a plugin and of its provider's fake.
- `desk`, `host`: a desk that notes what is reported; a host whose clock is turned by hand.
- `malformed`: what a webhook may be sent instead of a report.

Nothing in the gateway imports it, and it needs pytest and pytest-asyncio, which the gateway does not.
"""
