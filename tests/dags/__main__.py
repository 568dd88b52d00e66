"""Prints the states of DAGs: `python -m tests.dags FILE`, or `-` for standard input.

The format is explained in protocol/vectors/README.md, "States of auth graphs". `--oracle` asks the
rules read word by word instead of the code that runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.dags.running import running_state_of
from tests.dags.state import state_of
from tests.dags.written import FORMAT, read_dag, write_state


def main() -> int:
    """Print a file's states as JSON; 2 if the file is not of the format."""
    parser = argparse.ArgumentParser(prog="python -m tests.dags", description=__doc__)
    parser.add_argument("file", help="DAGs as JSON")
    parser.add_argument("--oracle", action="store_true", help="judge by the rules word by word")
    given = parser.parse_args()
    judge = state_of if given.oracle else running_state_of
    text = sys.stdin.read() if given.file == "-" else Path(given.file).read_text(encoding="utf-8")
    try:
        written = json.loads(text)
        if written["format"] != FORMAT:
            raise ValueError(f"format {written['format']} is not {FORMAT}")
        dags = [read_dag(dag) for dag in written["dags"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        print(f"{given.file} holds no DAGs of this format: {error!r}", file=sys.stderr)
        return 2
    states = [write_state(judge(dag)) for dag in dags]
    print(json.dumps({"format": FORMAT, "states": states}, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
