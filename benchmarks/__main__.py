"""Run all benchmarks, or those named: `python -m benchmarks [NAME ...]`."""

import asyncio
import importlib
import json
import platform
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.harness import ROOT, Row

MODULES = (
    "deliveries",
    "comments",
    "answers",
    "crowded",
    "history",
    "queues",
    "order",
    "log_pages",
    "pages",
    "followers",
    "lighthouse",
    "masking",
    "who",
    "service",
    "slack",
    "everywhere",
    "processor",
    "calls",
    "schedules",
    "containers",
    "image_builds",
    "kubernetes",
)
"""Modules of this package that have `async def rows() -> list[Row]`, in the order of the table."""

RESULTS = ROOT / "benchmarks" / "results"


def main(names: Sequence[str]) -> None:
    """Measure, show a table, and write the same as JSON."""
    unknown = set(names) - set(MODULES)
    if unknown:
        sys.exit(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(MODULES)}.")
    rows: list[Row] = []
    for name in names or MODULES:
        rows += asyncio.run(importlib.import_module(f"benchmarks.{name}").rows())
    _show(rows)
    RESULTS.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.platform()}
    document = {"at": time.time(), **machine, "rows": [row.as_dict() for row in rows]}
    path = RESULTS / time.strftime("%Y-%m-%dT%H-%M-%S.json")
    path.write_text(json.dumps(document, indent=2) + "\n")
    print(path.relative_to(ROOT))


def _show(rows: Sequence[Row]) -> None:
    table = Table("what", "ours", "peer", "ratio", "aim", "", "notes")
    for row in rows:
        aim = f"{'≤' if row.most else '≥'} {row.aim:g}"
        met = {True: "met", False: "missed", None: "-"}[row.met]
        table.add_row(
            row.name,
            _number(row.ours, row.unit),
            _number(row.peer, row.unit),
            _number(row.ratio),
            aim,
            met,
            row.note,
        )
    Console().print(table)


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:,.0f} {unit}".strip() if value >= 100 else f"{value:.2f} {unit}".strip()


if __name__ == "__main__":
    main(sys.argv[1:])
