"""Kill the gateway, the store, or both, in the midst of a payment, and look whether the books are right afterwards.

A trial is one person's way from the offer to the result, with one kill in it. The person asks again, the provider
reports again, until they are answered. Then the books are read, through the store's own ports.

- `countdown`: a kill at the n-th await of a gateway; `relay`: a kill at the n-th message to the store.
- `nursery`, `stores`: the processes that are killed and started again.
- `journey`: what a person and a provider do; `books`: what they must find afterwards.
- `lane`: one store, one gateway, and trials on them one after the other; `plan`: which trials.
- `twins`: gateways that are broken on purpose; `command`: all of it at length.
"""

from __future__ import annotations

from .command import main

__all__ = ["main"]
