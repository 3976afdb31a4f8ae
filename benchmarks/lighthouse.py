"""What Lighthouse gives the pages where people are most, on its phone with its slow line (of 100)."""

import shutil
import tempfile
from pathlib import Path

from benchmarks.harness import Row
from tests.bot.house import house
from tests.webhooks.pages import lighthouse
from tests.webhooks.pages.conftest import NAMES
from tests.webhooks.pages.test_manners import filled

CATEGORIES = ("performance", "accessibility", "best-practices")
TURNS = 3
"""The best counts: what else the machine does only takes away."""


async def rows() -> list[Row]:
    """One a page: the least of its categories."""
    chromium = next(filter(None, map(shutil.which, NAMES)))
    found = []
    with tempfile.TemporaryDirectory() as place:
        async with house(Path(place)) as home, filled(home) as (address, cookie):
            for path in lighthouse.PATHS:
                turns = [
                    (await lighthouse.report(f"{address}{path}", cookie, chromium, CATEGORIES)).scores
                    for _ in range(TURNS)
                ]
                best = {name: round(max(turn[name] for turn in turns) * 100) for name in CATEGORIES}
                notes = ", ".join(f"{name} {score}" for name, score in best.items())
                found.append(_row(path, min(best.values()), notes))
    return found


def _row(path: str, least: int, notes: str) -> Row:
    return Row(
        f"Lighthouse: {path}", least, 100, least / 100, "of 100", 1.0, note=f"best of {TURNS}: {notes}"
    )
