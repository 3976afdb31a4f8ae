"""A schedule that fails every five minutes is one message, whatever happens to the bot meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.installation import Installation, installation
from tests.flows.clocked import Clock
from tests.flows.test_schedules import jump, restart, scheduled, utc

HERE = Path(__file__).parent
DAY = "2027-01-15"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    made = Clock(tmp_path / "clock")
    made.set(utc(f"{DAY} 03:01"))
    return made


@pytest.fixture
async def errand(tmp_path: Path, clock: Clock) -> AsyncIterator[Installation]:
    """A service whose clock the test sets."""
    async with installation(
        tmp_path,
        config=HERE / "quiet.yaml",
        sample=HERE.parent / "repository",
        environ={"CLOCK": str(tmp_path / "clock")},
        program=HERE.parent / "clocked.py",
        clock=clock,
    ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def test_schedule_that_fails_edits_one_message_and_recovers_in_its_thread(
    errand: Installation, clock: Clock
) -> None:
    slack = errand.beside.slack

    async def reads(*beginnings: str) -> None:
        """The channel and its threads read so, message by message."""
        await slack.wait_for(
            lambda: (
                len(slack.messages) == len(beginnings)
                and all(m.text.startswith(b) for m, b in zip(slack.messages, beginnings, strict=True))
            )
        )

    await scheduled(errand)
    await jump(errand, clock, f"{DAY} 03:05")
    await reads("❌ backup #1 failed with exit code 1", "❌ backup #1")
    first, tail = slack.messages
    assert "<@U012AB3CD>" in str(first.blocks)
    assert (tail.thread_ts, "the disk is full" in str(tail.blocks)) == (first.ts, True)
    await jump(errand, clock, f"{DAY} 03:10")
    await reads("❌ backup failed 2 times", "❌ backup #1")
    await restart(errand, clock, f"{DAY} 03:14")
    await jump(errand, clock, f"{DAY} 03:15")
    third = "<@U012AB3CD> ❌ *backup* failed 3 times in a row."
    await reads("❌ backup failed 3 times", "❌ backup #1", third)
    assert (slack.messages[2].thread_ts, slack.messages[2].broadcast) == (first.ts, True)
    (errand.home / "mended").touch()
    await jump(errand, clock, f"{DAY} 03:20")
    over = "✅ *backup* has recovered after 3 failures"
    await reads("✅ backup has recovered", "❌ backup #1", third, over)
    await restart(errand, clock, f"{DAY} 03:48")
    missed = "⏰ backup did not run"
    await reads("✅ backup has recovered", "❌ backup #1", third, over, missed)
    assert "5 times since" in str(slack.messages[-1].blocks)
    await jump(errand, clock, f"{DAY} 03:50")
    await reads("✅ backup has recovered", "❌ backup #1", third, over, "✅ backup runs again")
