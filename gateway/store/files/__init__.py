"""Files of one process that outlive it.

- `owned_file`: how they are named and locked, and find an heir.
- `identity`: which store this is, so that what is in a file for one store is not given to another.
- `journal`: results that were taken and not delivered yet.

The events that wait on disk are in `events`.
"""

from __future__ import annotations
