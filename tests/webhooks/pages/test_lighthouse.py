"""What Lighthouse says of jobs, a job and a run, but for speed, which `benchmarks.lighthouse` measures."""

from pathlib import Path

import pytest

from tests.bot.house import house
from tests.webhooks.pages import lighthouse
from tests.webhooks.pages.test_manners import filled

pytestmark = pytest.mark.browser


async def test_lighthouse_finds_nothing_and_nothing_moves(tmp_path: Path, chromium: str) -> None:
    async with house(tmp_path) as home, filled(home) as (address, cookie):
        for path in lighthouse.PATHS:
            report = await lighthouse.report(
                f"{address}{path}", cookie, chromium, ["accessibility", "best-practices"]
            )
            assert report.scores == {"accessibility": 1, "best-practices": 1}, report.failed
            assert report.audits["cumulative-layout-shift"]["score"] == 1, report.failed
