"""A real Valkey server beside the gateway, for whoever has none.

- `server`: starts it, watches it, stops it; `start_error` is why it did not start.
- `server_program`: which program runs, with which settings; `server_socket` is where it listens.
- `folder_lock`: one gateway for one data folder; `pdeathsig_exec`: a program that dies with its parent.
"""

from __future__ import annotations
