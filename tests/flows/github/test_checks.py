"""Checks with annotations and buttons, threads, what is folded away, and what a comment costs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.github import Check, Comment
from demo.installation import Installation, installation

HERE = Path(__file__).parent
CALLS = 6


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A running service whose jobs write annotations."""
    async with installation(
        tmp_path, config=HERE / "checks.yaml", sample=HERE.parent / "repository", environ={}
    ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def check(errand: Installation, job: str, conclusion: str | None, count: int = 1) -> Check:
    """The newest check of a job, once there are so many of it and it has come to that conclusion."""

    def there() -> Check | None:
        found = [each for each in errand.beside.github.checks if each.name == f"errand / {job}"]
        return found[-1] if len(found) == count and found[-1].conclusion == conclusion else None

    return await errand.beside.github.wait_for(there)


async def card(errand: Installation, *words: str) -> Comment:
    """The newest comment of ours that has all these words."""
    github = errand.beside.github

    def there() -> Comment | None:
        ours = [each for each in reversed(github.comments) if each.login == github.bot_login]
        return next((each for each in ours if all(word in each.body for word in words)), None)

    return await github.wait_for(there)


async def test_check_has_annotations_and_is_run_again_by_its_buttons(errand: Installation) -> None:
    github = errand.beside.github
    await errand.comment(f"/job run lint SEEN={errand.home}/seen")
    failed = await check(errand, "lint", "failure")
    await github.wait_for(lambda: len(failed.annotations) == 200)
    first = failed.annotations[0]
    assert (first["path"], first["start_line"], first["annotation_level"]) == ("shop/cart.py", 3, "failure")
    assert "2 errors and 1,000 warnings; 802 of them stand only in the log" in str(failed.output["summary"])
    assert "elsewhere" in str(failed.output["text"])

    await errand.press(failed, author="stranger")
    await errand.press(failed)
    again = await check(errand, "lint", "success", count=2)
    assert again.annotations == []
    old = await card(errand, "#1", "failed")
    await github.wait_for(lambda: old.minimized == "OUTDATED" or None)
    await card(errand, "#2", "again from `#1`, exactly")

    await errand.comment("/job run wait")
    running = await check(errand, "wait", None)
    await github.wait_for(lambda: running.status == "in_progress" or None)
    assert [action["identifier"] for action in running.actions] == ["cancel"]
    await errand.press(running, "cancel")
    await check(errand, "wait", "cancelled")
    await errand.press(running, "rerun-latest")
    assert (await check(errand, "wait", None, count=2)).id != running.id


async def test_comment_of_a_writer_costs_six_calls_to_the_last_word(errand: Installation) -> None:
    github = errand.beside.github
    await errand.comment("/job run hello")  # the token is fetched and the image is built
    await check(errand, "hello", "success")
    await card(errand, "#1", "succeeded")
    before = len(github.requests)
    await errand.comment("/job run hello NAME=Ada")
    await check(errand, "hello", "success", count=2)
    await card(errand, "#2", "succeeded", "NAME=Ada")
    calls = [f"{each.method} {each.path}" for each in github.requests[before:]]
    calls = [call for call in calls if call != "POST /graphql"]  # the older card is folded away afterwards
    assert len(calls) <= CALLS, "\n".join(calls)


async def test_command_on_a_line_is_answered_in_its_thread(errand: Installation) -> None:
    asked = await errand.comment_on_line("/job run hello")
    assert (await card(errand, "#1", "succeeded")).thread == asked.id
    await errand.review("/job list")
    listing = await card(errand, "Start one with")
    assert listing.thread is None
    await errand.comment("/job help")
    await errand.beside.github.wait_for(lambda: listing.minimized == "OUTDATED" or None)
