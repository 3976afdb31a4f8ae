"""The page of a job over real HTTP: the tag that a deploy hook chose for it."""

from pathlib import Path

from bot.access.callers import of_hook
from tests.bot.handlers.test_ready_images import CONTAINED
from tests.bot.house import house, unchecked
from tests.webhooks.whole import served

CHOSEN = "ghcr.io/acme/tools:2.0"


async def test_tag_of_a_hook_is_shown_until_it_counts_no_more(tmp_path: Path) -> None:
    async with house(tmp_path, changes=CONTAINED) as home, served(home) as client:
        calls, hook = home.bot.calls, of_hook("plain", "ci")
        assert CHOSEN not in (await client.get("/jobs/plain")).text
        await calls.move(hook, "plain", "2.0", unchecked)
        page = (await client.get("/jobs/plain")).text
        assert (CHOSEN in page, "by plain/ci (deploy hook)" in page) == (True, True)
        told = (await client.get("/api/jobs/plain")).json()["image_tag"]
        assert (told["reference"], told["chosen_by"]) == (CHOSEN, "hook:plain/ci")
        assert CHOSEN not in (await client.get("/jobs/often")).text
        await calls.follow(hook, "plain")
        assert CHOSEN not in (await client.get("/jobs/plain")).text
        assert (await client.get("/api/jobs/plain")).json()["image_tag"] is None
