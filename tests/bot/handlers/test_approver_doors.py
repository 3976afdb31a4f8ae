"""Whom a job's `approval` names and nobody else: they are heard, and may run nothing."""

from pathlib import Path

from tests.bot.handlers.test_who import runs_of
from tests.bot.house import house


async def test_who_may_say_yes_but_not_run_it_has_a_door(tmp_path: Path) -> None:
    asking = {"image": "shop", "command": "true", "approval": {"from": ["github:lead"]}}
    changes = {"slack": {"people": {"U0LEAD": "lead"}}, "jobs": {"asking": asking}}
    async with house(tmp_path, changes=changes) as home:
        for number, user in ((1, None), (2, "U0LEAD")):
            await home.says("/job run asking")
            await home.says(f"/job approve #{number}", author="reader")
            assert (await home.run(number)).hold == "approval"
            if user is None:
                await home.says(f"/job approve #{number}", author="lead")
            else:
                await home.types(f"approve #{number}", user=user)
            assert len((await home.run(number)).approval["given"]) == 1  # type: ignore[index]
        assert not await runs_of(home, "asking", home.says("/job run asking", author="lead"))
