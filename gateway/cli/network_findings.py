"""What is found where the gateway listens, and where its application does: one connection each, and no request to the
application."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.core.finding import Finding, Gravity, Matter
from gateway.settings.address import Address, Origin
from gateway.settings.schema import GatewaySettings
from gateway.upstream.address import parse_address

_SECONDS = 3.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on is asked at home
_CONTENT_LIMIT = 65_536


async def upstream_findings(settings: GatewaySettings) -> list[Finding]:
    """Whether each address of the application takes a connection."""
    seconds = min(settings.upstream.connect_timeout / 1000, _SECONDS)
    return list(await asyncio.gather(*(_upstream(origin, seconds) for origin in settings.upstream.addresses)))


async def _upstream(origin: Origin, seconds: float) -> Finding:
    place = f"upstream {origin}"
    try:
        address = parse_address(str(origin))
        async with asyncio.timeout(seconds):
            if address.unix_path is not None:
                _, writer = await asyncio.open_unix_connection(address.unix_path)
            else:
                _, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
    except TimeoutError:
        text = f"no connection within {seconds:g} s: requests answer 502"
        mend = "does a firewall drop what goes there, and is the machine up?"
        return Finding(Gravity.FAULT, Matter.UPSTREAM, place, text, mend)
    except (OSError, ValueError) as error:
        text = f"no connection ({_why(error)}): requests answer 502"
        mend = "is the application running, and is the address right? In a container, localhost is the container's own"
        return Finding(Gravity.FAULT, Matter.UPSTREAM, place, text, mend)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Finding(Gravity.GOOD, Matter.UPSTREAM, place, "it takes connections")


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio adds the address, which stands there
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def public_findings(settings: GatewaySettings) -> Iterator[Finding]:
    """Whether the gateway runs, by what answers where it is to listen."""
    place = f"listen {settings.listen}"
    said = _get(settings.listen, f"{settings.prefix}/health/ready", place)
    if isinstance(said, Finding):
        yield said
    elif said and not said.is_ours:
        yield _taken(place, "another program, or a gateway with another `prefix`,")
    elif said and said.status != 200:
        text = f"the gateway runs and is not ready: {said.content.get('store', said.status)}"
        yield Finding(Gravity.FAULT, Matter.LISTEN, place, text, "the findings of the store say why")
    elif said:
        yield Finding(Gravity.GOOD, Matter.LISTEN, place, "the gateway runs and is ready")


def admin_findings(settings: GatewaySettings) -> Iterator[Finding]:
    """What a running gateway tells its operators, where the config lets it."""
    if settings.admin is None:
        return
    place = f"admin.listen {settings.admin.listen}"
    said = _get(settings.admin.listen, "/status", place)
    if isinstance(said, Finding):
        yield said
    elif said and "store_warnings" not in said.content:
        yield _taken(place, "another program")
    elif said:
        yield Finding(Gravity.GOOD, Matter.LISTEN, place, "the operators' pages answer")
        for address in said.content["upstream_set_aside"]:
            text = f"the gateway that runs has set {address} aside: it failed three times in a row"
            yield Finding(Gravity.WARNING, Matter.UPSTREAM, place, text, "see why in the log of that application")
        if said.content["events_dropped"]:
            text = (
                f"the gateway that runs has lost {said.content['events_dropped']} events: the store was away too long"
            )
            yield Finding(
                Gravity.WARNING, Matter.STORE, place, text, "they are gone; the findings of the store say more"
            )
        for warning in said.content["store_warnings"]:
            yield Finding(Gravity.WARNING, Matter.STORE, place, warning)


@dataclass(frozen=True, slots=True)
class _Said:
    """What answered there."""

    status: int
    is_ours: bool
    content: dict[str, Any]


def _get(address: Address, page: str, place: str) -> _Said | Finding | None:
    """Ask for a page. A finding where nothing is said in HTTP; None where any free port will do."""
    if not address.port:
        return None
    connection = http.client.HTTPConnection(_EVERYWHERE.get(address.host, address.host), address.port, timeout=_SECONDS)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        content = answer.read(_CONTENT_LIMIT)
    except ConnectionRefusedError:
        return Finding(Gravity.GOOD, Matter.LISTEN, place, "nothing listens there: the gateway does not run")
    except (OSError, http.client.HTTPException) as error:
        text = f"what listens there gives no answer in HTTP ({_why(error)})"
        mend = "is it the gateway, and does it hang? Or has another program the port? `ss -ltnp` tells whose it is"
        return Finding(Gravity.FAULT, Matter.LISTEN, place, text, mend)
    finally:
        connection.close()
    return _Said(answer.status, answer.getheader("Paywall-Reason") is not None, _object(content))


def _taken(place: str, by: str) -> Finding:
    text = f"{by} has this port: `paywall run` will not start"
    return Finding(Gravity.FAULT, Matter.LISTEN, place, text, "`ss -ltnp` tells whose it is; or choose another port")


def _object(content: bytes) -> dict[str, Any]:
    try:
        said: Any = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
