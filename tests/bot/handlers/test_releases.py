"""What a yes is bound to voids it at the moment in which it changes, whoever has said yes by then."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.github import GitHub, PullRequest
from bot.messages.reasons import explanation_of
from bot.tables import Run
from bot.workers.holds import HeldRuns
from executor.spec import Outcome, Result
from tests.bot.handlers.approving import (
    approve,
    approving,
    ask,
    is_held,
    kinds,
    look,
    on_github,
    redefine,
    tell_of_pull,
)
from tests.bot.handlers.test_ready_images import CONTAINED
from tests.bot.house import SHOP, House

HEAD, OTHER = "c" * 40, "d" * 40
ANEW = "Ask for it anew (/job run migrate)."


async def ask_on_pull(home: House, key: str = "k") -> int:
    """Somebody asks for the job on the pull request."""
    pull = await home.bot.host.required.pull(SHOP, 7)
    return await ask(home, on_github("octocat", key=key, pull=pull))


def move(home: House, head: str = OTHER) -> None:
    home.github.add_pull(SHOP, 7, head, "topic")


async def synchronized(home: House) -> None:
    move(home)
    await tell_of_pull(home, OTHER, "synchronize")


async def pushed(home: House) -> None:
    move(home)
    await home.push(OTHER, branch="topic")


async def closed(home: House) -> None:
    home.github.state.repositories[SHOP].pulls[7].state = "closed"
    await tell_of_pull(home, HEAD, "closed")


async def look_together(home: House) -> None:
    """The duty of held runs looks once."""
    await HeldRuns(home.bot.approvals.holds, home.store, lambda: home.now).look()


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (redefine, f"definition of migrate has changed (command). {ANEW}"),
        (synchronized, f"#7 has got other commits (cccccccccccc is dddddddddddd now). {ANEW}"),
        (pushed, f"#7 has got other commits (cccccccccccc is dddddddddddd now). {ANEW}"),
        (closed, "#7 was closed. Its branch is not taken any more; name another (/job run migrate --ref"),
    ],
)
async def test_change_voids_it_before_anybody_else_says_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[House], Awaitable[None]], told: str
) -> None:
    asked: list[int] = []

    async def counted(self: GitHub, repository: str, pull: int) -> PullRequest:
        asked.append(pull)
        return await real(self, repository, pull)

    async with approving(tmp_path, "{count: 2}") as home:
        first, second = [await ask_on_pull(home, key) for key in ("one", "two")]
        other = await ask(home)
        await look(home)
        assert "1 of 2" in await approve(home, second, on_github("hubber"))
        home.now += 1.0
        real = GitHub.pull
        monkeypatch.setattr(GitHub, "pull", counted)
        await happens(home)
        await look_together(home)
        assert asked == ([] if happens is redefine else [7])  # both are for the same pull request
        for number in (first, second):
            run = await home.run(number)
            assert run.reason == "ApprovalVoided"
            assert told in str(explanation_of(run))
        assert is_held(await home.run(other)) is (happens is not redefine)
        assert (await kinds(home)).count("approval.voided") >= 2
        told_anew = {post.run_number for post in await home.posts() if post.wanted > post.sent}
        assert told_anew >= {first, second}


async def test_late_word_of_a_push_voids_nothing(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask_on_pull(home)
        await tell_of_pull(home, HEAD, "synchronize")  # of what is asked for
        assert (await home.run(number)).due_at > home.now
        await tell_of_pull(home, OTHER, "synchronize")
        assert (await home.run(number)).due_at == home.now
        await look(home)
        assert is_held(await home.run(number))


async def test_change_while_it_is_looked_at_is_not_missed(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask_on_pull(home)
        await tell_of_pull(home, OTHER, "synchronize")
        seen = await home.run(number)
        home.now += 1.0
        await tell_of_pull(home, OTHER, "synchronize")
        await home.bot.approvals.holds.look(seen)  # which had asked before
        move(home)
        await look(home)
        assert (await home.run(number)).reason == "ApprovalVoided"


async def test_job_that_another_bot_has_changed_is_taken_over_before_it_is_looked_at(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        other = home.without(registry=await _registry_of(home))
        await redefine(other)
        await look(home)
        assert (await home.run(number)).reason == "ApprovalVoided"


async def _registry_of(home: House) -> Any:
    known = home.tools.registry
    return await type(known).open(known.config, home.store, lambda: home.now)


async def test_image_that_is_found_to_be_another_one_voids_it(tmp_path: Path) -> None:
    job = 'migrate: {image: tools, command: "true", approval: %s}'
    async with approving(tmp_path, job=job, changes=CONTAINED) as home:
        first = await ask(home)
        await look(home)
        home.engine.pins = [[Outcome(Result.SUCCEEDED, image="tools@sha256:2")]]
        await ask(home, on_github("octocat", key="second"))
        await look(home)
        run = await home.run(first)
        assert run.reason == "ApprovalVoided"
        assert "tools is another image now" in str(explanation_of(run))


async def test_run_of_the_end_of_a_pull_request_is_not_void_by_it(tmp_path: Path) -> None:
    job = 'migrate: {image: shop, command: "true", on: [{pull_request: [closed]}], approval: %s}'
    async with approving(tmp_path, job=job) as home:
        await closed(home)
        await look(home)
        run: Run = await home.run(1)
        assert is_held(run)
        assert "goes on" in await approve(home, 1, on_github("hubber"))
        await look(home)
        assert (await home.run(1)).hold is None
