"""The one way to the servers: which of them has a key, and what is asked of it.

- `link`: a verb goes in, its answer comes out, from whichever node has the key; `single` and `cluster` say which it is.
- `node`: one server, with deadlines, a `breaker`, and `StoreUnavailable` for all that fails.
- `line`: one connection on which verbs follow each other; `redirected` sorts what is answered that is not the answer.
- `verb`: one `script` with its keys.
- `place`: the store's address, and how connections to it are made.
"""

from __future__ import annotations
