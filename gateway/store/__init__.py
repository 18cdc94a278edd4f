"""The store: every state change is one Lua script on Redis or Valkey, run by name from one place.

Read from the top; each line imports only from those below it (`floors` in pyproject.toml holds it).

- `connection`: `open_store(url)` gives a `Store`, which carries the ports and the event writer.
- `operations`, `books`, `undelivered`: what an operator does to a subject; an audit; what was paid for and not fetched.
- `payments` (with `refunds`, `subscriptions`), `attempts`, `pending`, `merges`, `holds`, `subjects`, `stock`: the other
  ports; each method runs one file of `verbs/`.
- `durability`: waiting for the disk, and for a replica, before anyone is told "paid".
- `near`, `changes`: what this process remembers of subjects, and how it hears that it is out of date.
- `events/`: the event stream, written in batches, and what waits on disk while the store is away.
- `fitness/`: whether a server is fit to keep money: what it says of itself, and what is wrong with that.
- `schema`: which form the stored data has.
- `files/`: files of one process that outlive it, and for which store they are.
- `transport/`: the one way to the servers: one, the primary that sentinels name, or a cluster.
- `embedded/`: a real Valkey server out of a wheel, for whoever has no server. It knows nothing of the rest.

Names of keys are in `keys`. All keys of a subject share a hash tag, so that one script sees them in a cluster too.
"""

from __future__ import annotations
