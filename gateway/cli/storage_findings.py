"""What is found of the storage of large held results: whether it takes, gives back and removes a few bytes."""

from __future__ import annotations

import secrets

from gateway.access.sweep import probe
from gateway.core.finding import Finding, Gravity, Matter
from gateway.core.keyring import Keyring
from gateway.settings.load import Loaded
from gateway.wiring.assemble import wall_clock
from gateway.wiring.plugins import make_storage

_MEND = {
    "directory": "look whether it is mounted, has room and belongs to the gateway's user (df, ls -ld)",
    "s3": "look whether the bucket is there, and whether its key may put, get, list and delete in it",
}


async def storage_findings(loaded: Loaded) -> tuple[Finding, ...]:
    """One finding, where a config has a storage outside of the store."""
    name, place = loaded.settings.holds.storage.name, "holds.storage"
    try:
        # Nothing that is kept is read, so no key of the gateway's is needed.
        storage = make_storage(loaded, Keyring(secrets.token_bytes(32)), wall_clock, lambda line: None)
        if storage is None:
            return ()
        try:
            await storage.start()
            await probe(storage, f"probe/{secrets.token_hex(8)}")
        finally:
            await storage.stop()
    except Exception as error:  # a plugin may raise anything, and what it raises is what was looked for
        text = f"it does not keep what is written: {error}; large results answer 503"
        return (Finding(Gravity.FAULT, Matter.STORAGE, place, text, _MEND.get(name, "see what the plugin needs")),)
    return (Finding(Gravity.GOOD, Matter.STORAGE, place, f"{name} takes, gives back and removes what is written"),)
