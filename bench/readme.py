"""The command `python -m bench.readme`: puts the last run into README.md, if it is fit to be quoted."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"

QUIET = 0.1
_RESULTS = Path(__file__).with_name("results.json")
_README = Path(__file__).parents[1] / "README.md"


def objections(results: Mapping[str, Any]) -> list[str]:
    """Why these results are not fit to be quoted, one sentence each; none when they are."""
    said = []
    if not results["finished"]:
        said.append("the run was interrupted")
    if not results["whole"]:
        said.append("some measurements were left out (--only)")
    if results["short"]:
        said.append("the run was short: leave out --short, and let rounds and seconds be")
    if results["others"] > QUIET:
        said.append(f"the machine was not quiet: other programs took up to {results['others']:.0%} of a core")
    missing = [row["title"] for row in results["rows"] if row["value"] is None]
    if missing:
        said.append(f"not measured: {'; '.join(missing)}")
    return said


def with_table(text: str, table: str) -> str:
    """The text with the table between its two marks. Raises ValueError when they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the marks {BEGIN} and {END} are not there: put them where the table belongs")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes README.md; gives the exit code: 1 when the run is refused."""
    parser = argparse.ArgumentParser(prog="python -m bench.readme", description=__doc__)
    parser.add_argument("--json", type=Path, default=_RESULTS, metavar="PATH", help="the results of a run")
    parser.add_argument("--readme", type=Path, default=_README, metavar="PATH", help="the file to write into")
    options = parser.parse_args(arguments)
    try:
        results = json.loads(options.json.read_text())
        refused = objections(results)
        if refused:
            print(f"{options.json} does not go into {options.readme}: {'; '.join(refused)}.", file=sys.stderr)
            return 1
        options.readme.write_text(with_table(options.readme.read_text(), results["markdown"]))
    except FileNotFoundError as missing:
        print(f"{missing.filename} is not there: run `make bench` first.", file=sys.stderr)
        return 1
    except (KeyError, ValueError) as problem:
        print(f"{options.json}, {options.readme}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
