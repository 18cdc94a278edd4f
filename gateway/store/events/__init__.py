"""Events on their way into the store, and read from there.

- `stream`: takes what is recorded while requests go on, in batches; reads it for the command line.
- `backlog`: what the store has not taken yet; `spool` is where that waits on disk.
- `delivery`: sends a batch, which changes nothing a second time; `adoption` sends what other processes left behind.
"""

from __future__ import annotations
