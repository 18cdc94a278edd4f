"""Payment provider for trying things out: its own checkout page, no money.

Loads only where the config says `sandbox: allowed`.
"""

from __future__ import annotations

from gateway.ports.plugin import Plugin
from gateway_pay_sandbox.provider import SandboxProvider, SandboxSettings

__all__ = ["plugin"]

plugin = Plugin(
    summary="A checkout page without money, for trying things out.",
    settings=SandboxSettings,
    create=SandboxProvider,
)
