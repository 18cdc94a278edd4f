"""Why the embedded store did not start."""

from __future__ import annotations


class StoreStartError(Exception):
    """The embedded store can't run. `str()` is for people: what is wrong, where, and the mend."""
