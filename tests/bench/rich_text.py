"""What it costs to bring Markdown into rich text, to read it out, and to save one changed word.

`prose` is paragraphs, `marked` half of all that can be marked. Prints one JSON line each, with the
CPU seconds of the best of some repetitions, without the judging and the disk:

    python -m tests.bench.rich_text --bytes 27000 --repetitions 5
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from p2pvalue.texts.shared import SharedDocument
from tests.texts.test_markdown import EVERYTHING

CLIENT = 2**52 + 1  # as long as those of sessions
PROSE = "We meet in the garden at noon, and whoever comes brings what she has. " * 12


def text_of(size: int, *, is_marked: bool) -> str:
    """A text of at least so many bytes."""
    parts: list[str] = []
    while sum(len(part.encode()) for part in parts) < size:
        parts += [f"## Part {len(parts)}\n", f"{PROSE.strip()}\n", *[EVERYTHING] * is_marked]
    return "\n".join(parts)


def timed(work: Callable[[], object]) -> float:
    start_s = time.process_time()
    work()
    return time.process_time() - start_s


def measured(text: str) -> dict[str, float]:
    """CPU seconds of each step, once."""
    document = SharedDocument("rich", CLIENT)
    found = {"import_s": timed(lambda: document.rewrite(None, text))}
    document.touch()
    found["export_s"] = timed(lambda: document.text)
    assert document.text == text
    changed = text.replace("noon", "one", 1)
    found["word_s"] = timed(lambda: document.rewrite(None, changed))
    assert document.text == changed
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=27_000)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    measured("x **y**, at noon\n")  # loads what reads Markdown
    for name in ("prose", "marked"):
        text = text_of(options.bytes, is_marked=name == "marked")
        runs = [measured(text) for _ in range(options.repetitions)]
        updates = SharedDocument("rich", CLIENT).rewrite(None, text)
        sizes = {
            "bytes": len(text.encode()),
            "updates": len(updates),
            "in_updates": sum(map(len, updates)),
        }
        best = {step: round(min(run[step] for run in runs), 4) for step in runs[0]}
        print(json.dumps({"text": name, **sizes, **best}))


if __name__ == "__main__":
    main()
