"""What is found of the facilitator of x402: whether it answers, and settles what the config asks for."""

from __future__ import annotations

from gateway.core.finding import Finding, Gravity, Matter
from gateway.ports.clearing import ClearingUnavailable
from gateway.protocols.encoding import Malformed
from gateway.protocols.x402 import read_kinds
from gateway.settings.schema import GatewaySettings
from gateway.wiring.signing import make_facilitator

_PLACE = "x402.facilitator"


async def facilitator_findings(settings: GatewaySettings) -> tuple[Finding, ...]:
    """One finding, where a config takes payments by x402."""
    try:
        facilitator = make_facilitator(settings)
    except (ValueError, OSError):
        return ()  # its token can't be read: the config's own findings say so
    if facilitator is None or settings.x402 is None:
        return ()
    wanted = (settings.x402.scheme, settings.x402.network)
    try:
        await facilitator.start()
        kinds = read_kinds(await facilitator.supported())
    except (ClearingUnavailable, Malformed) as error:
        mend = "look at its address, its status, and whether it wants `authorization`"
        text = f"it does not say what it settles: {error}; programs can't pay"
        return (Finding(Gravity.WARNING, Matter.PLUGINS, _PLACE, text, mend),)
    finally:
        await facilitator.stop()
    if wanted not in [(scheme, network) for scheme, network, _ in kinds]:
        known = ", ".join(sorted({network for scheme, network, _ in kinds if scheme == wanted[0]})) or "no network"
        text = f"it does not settle {wanted[0]!r} on {wanted[1]}, but on {known}; programs can't pay"
        mend = "name one of these networks, or another facilitator"
        return (Finding(Gravity.FAULT, Matter.PLUGINS, _PLACE, text, mend),)
    return (Finding(Gravity.GOOD, Matter.PLUGINS, _PLACE, f"it settles {wanted[0]!r} on {wanted[1]}"),)
