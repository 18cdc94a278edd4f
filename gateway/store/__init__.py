"""The store: every state change is one Lua script on Redis or Valkey, run by name from one place.

- `connection`: `open_store(url)` gives a `Store`, which carries the four ports and the event writer.
- `link`: the one way to the store: to whichever node has a key (`single`, `cluster`), by its address (`place`). A
  `node` is one server: a `line` for each `verb`, deadlines, a `breaker`, `StoreUnavailable` for all that fails.
- `subjects`, `holds`, `payments`, `operations`: the ports; each method runs one file of `verbs/`.
- `durability`: waiting for the disk, and for a replica, before anyone is told "paid".
- `examination`, `findings`, `survival`: what the server says of itself, and what is wrong with that; `rights` is what
  its user must be allowed; `checkup` examines it while the gateway runs.
- `events`: the event stream, written in batches and read by the command line. What the store does not take at once is
  in a `backlog`, with a `spool` on disk; `delivery` sends it, `adoption` what other processes left behind.
- `identity`: which store this is; `owned_file`: files that say for which store they are, and find an heir.
- `journal`: what was taken and not delivered yet, where it outlives this process.
- `embedded`: a real Valkey server out of a wheel, for whoever has no server of their own.

Names of keys are in `keys`. All keys of a subject share a hash tag, so that one script sees them in a cluster too.
"""

from __future__ import annotations
