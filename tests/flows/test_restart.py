"""`kill -9` at any moment, then start: nothing lost, nothing doubled, said once."""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from demo.installation import Installation, Where, installation
from tests.flows.test_commands import prints

MOMENTS = 12
SEED = int(os.environ.get("ERRAND_SEED") or random.SystemRandom().randrange(10**6))


@pytest.mark.parametrize("turn", range(3))
async def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    tmp_path: Path, where: Where, turn: int
) -> None:
    print(f"ERRAND_SEED={SEED}")
    chance = random.Random(SEED + turn)
    marks, gate = tmp_path / "marks", tmp_path / "gate"
    async with installation(tmp_path, **where) as errand:
        github = errand.beside.github
        sent = 0
        for _ in range(MOMENTS // 3):
            for _ in range(2):
                sent += 1
                await errand.comment(f"/job run wait ID=run{sent} MARKS={marks} GATE={gate}")
            await asyncio.sleep(chance.uniform(0.0, 0.6))  # the random moment itself
            await errand.kill()
            await errand.start()
        gate.touch()

        def ended() -> bool:
            cards = [each for each in github.comments if each.login == github.bot_login]
            return len(cards) >= sent and all("succeeded" in each.body for each in cards)

        await github.wait_for(ended)
        await github.wait_for(lambda: len([c for c in github.checks if c.conclusion]) >= sent)

    lines = Counter(marks.read_text().split("\n")[:-1])
    wanted = [f"run{number}" for number in range(1, sent + 1)]
    assert {each: lines[f"started {each}"] for each in wanted} == dict.fromkeys(wanted, 1)
    assert {each: lines[f"done {each}"] for each in wanted} == dict.fromkeys(wanted, 1)
    cards = [each for each in github.comments if each.login == github.bot_login]
    assert len(cards) == sent, [each.body[:80] for each in cards]
    for card in cards:
        assert sum("succeeded" in text for text in card.history) == 1
    ends = Counter(check.external_id for check in github.checks if check.conclusion)
    assert set(ends.values()) == {1}
    per_comment = Counter((each.comment, each.content) for each in github.reactions)
    assert set(per_comment.values()) <= {1}


async def test_running_process_is_adopted_and_its_exit_code_kept(tmp_path: Path, where: Where) -> None:
    marks, gate = tmp_path / "marks", tmp_path / "gate"
    async with installation(tmp_path, **where) as errand:
        github = errand.beside.github
        await errand.comment(f"/job run wait ID=a MARKS={marks} GATE={gate}")
        await prints(errand, 1, "started a")
        await errand.kill()
        await errand.start()
        await errand.comment("/job cancel #1")
        card = await github.wait_for(lambda: _card(errand, "cancelled"))
        assert "42" in card
    assert marks.read_text() == "started a\n"


def _card(errand: Installation, words: str) -> str | None:
    return next((each.body for each in errand.beside.github.comments if words in each.body), None)
