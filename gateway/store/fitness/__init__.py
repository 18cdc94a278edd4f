"""Whether a server is fit to keep money; told by `paywall doctor`, and while the gateway runs.

- `examination`: what the server says of itself, asked once; `rights` is what its user must be allowed.
- `findings`: what is wrong with that, and the mend; `survival` is what payments survive. Both are pure.
- `checkup`: examines again and again while the gateway runs.
"""

from __future__ import annotations
