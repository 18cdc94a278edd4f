"""The command `python -m tests.faults [PART] …`: one part with its own options, or all of them as they are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

PARTS = ("kills", "states")


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; the worst exit code of the parts."""
    name, *rest = arguments or ("",)
    if name in PARTS:
        return _run(name, rest)
    if name:
        print(f'usage: make faults ARGS="[{"|".join(PARTS)}] …"; there is no part {name!r}', file=sys.stderr)
        return 2
    codes = []
    for part in PARTS:
        codes.append(_run(part, ()))
        if codes[-1] not in (0, 1):  # interrupted, or something is missing: the others would not fare better
            break
    return max(codes)


def _run(part: str, arguments: Sequence[str]) -> int:
    found: int = importlib.import_module(f"tests.faults.{part}").main(arguments)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
