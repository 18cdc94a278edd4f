"""The command `python -m tests.faults`: one word says which faults."""

from __future__ import annotations

import sys

from tests.faults import states

if __name__ == "__main__":
    if sys.argv[1:2] != ["states"]:
        sys.exit("write: python -m tests.faults states")
    sys.exit(states.main(sys.argv[2:]))
