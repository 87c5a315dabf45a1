"""
Print ratios to the raw program: `python -m benchmarks [--quick] [--only NAME] [--corpus FILE]`.

Each figure is the median of interleaved rounds in one run; nothing is asserted.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import cases
from benchmarks.figures import Figure


def main() -> None:
    """Run the cases asked for and print one line per figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    parser.add_argument("--only", default="", help="one of: " + ", ".join(cases.CASES))
    parser.add_argument("--corpus", type=Path, help="a JSONL file instead of made events")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for name, case in cases.CASES.items():
        if options.only in ("", name):
            _run(case, options)


def _run(case: Callable[..., list[Figure]], options: argparse.Namespace) -> None:
    rounds: dict[str, list[Figure]] = {}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="eventsync-bench-", dir=".") as folder:
            scale = 10 if options.quick else 1
            for figure in case(Path(folder), scale, options.corpus):
                rounds.setdefault(figure.name, []).append(figure)
    for name, figures in rounds.items():
        ours = statistics.median(figure.ours for figure in figures)
        raw = statistics.median(figure.raw for figure in figures)
        reach = figures[0].reach
        verdict = "" if reach is None else ("  ok" if ours / raw <= reach else "  ABOVE")
        goal = "" if reach is None else f"  reach {reach:g}"
        sys.stdout.write(
            f"{name:66s} {ours:11.3f} / {raw:11.3f} {figures[0].unit:8s}"
            f" = {ours / raw:6.2f}{goal}{verdict}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
