"""`paywall events`: what happened, one JSON object a line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.loading import load_config
from gateway.cli.output import CommandFailed, put
from gateway.cli.store_access import with_store
from gateway.store.connection import Store
from gateway.store.events.stream import read_events

_POSITION = re.compile(r"[0-9]{1,19}(-[0-9]{1,19})?")


def events(
    *,
    config: Annotated[Path, Parameter(help="The config file.")],
    after: Annotated[
        str,
        Parameter(help="Begin behind the event at this position; 0 begins with the oldest.", metavar="POSITION"),
    ] = "0",
    follow: Annotated[bool, Parameter(help="Go on with new ones as they come.", negative="")] = False,
) -> None:
    """Print events, oldest first, one JSON object a line. Subjects appear as keyed hashes."""
    if _POSITION.fullmatch(after) is None:
        raise CommandFailed(f"--after {after!r} is no position: write 0, or the `position` of an event", 2)

    async def read(store: Store) -> None:
        async for event in read_events(store.link, after, follow):
            put(
                json.dumps(
                    {
                        "position": event.position,
                        "id": event.id,
                        "name": event.name,
                        "version": event.version,
                        **event.body,
                    },
                    ensure_ascii=False,
                )
            )

    with_store(load_config(config).settings, read)
