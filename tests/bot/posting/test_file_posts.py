"""What is said of the files in which repositories define jobs, and of what a pull request would change."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.github import GitHub
from bot.store import posts
from demo import deliveries, payloads
from demo.github import Check
from executor.spec import Secret
from tests.bot.handlers.test_repository_reading import GOOD, MORE, NEXT, RULES, pushed, read, tells
from tests.bot.house import HEAD, SHOP, House, house
from tests.bot.posting.test_outbox import send

TOPIC, FORK = "c" * 40, "acme-fork/shop"
NAME = "errand / .errand.yaml"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which both repositories may define jobs."""
    async with house(tmp_path, changes={"repository_jobs": RULES}) as made:
        yield made


async def proposed(home: House, file: bytes | None, base: bytes | None = GOOD, **pull: Any) -> list[Check]:
    """A pull request is opened whose head has this file; gives the checks of the head."""
    known = home.github.state.repositories[SHOP]
    main = known.refs["main"]
    known.files |= {
        main: {".errand.yaml": base} if base else {},
        TOPIC: {".errand.yaml": file} if file else {},
    }
    known.parents[TOPIC] = main
    for name, value in pull.items():
        setattr(known.pulls[7], name, value)
    await tells(home, "pull_request", payloads.pull_request(SHOP, 7, TOPIC, "topic", private=True))
    await send(home)
    return [each for each in home.github.checks if (each.head_sha, each.name) == (TOPIC, NAME)]


async def test_plan_of_a_wrong_file_has_its_mistakes_and_nothing_changes(home: House) -> None:
    await pushed(home, NEXT, MORE)
    await read(home)
    changed = b"images: {app: {build: {dockerfile: other}}}\njobs: {}\n"
    (wrong,) = await proposed(home, changed, MORE)  # the process engine builds by no Dockerfile
    assert (wrong.conclusion, [each["start_line"] for each in wrong.annotations]) == ("failure", [1])
    assert "Merged as it is, it would change nothing" in str(wrong.output["title"])
    assert [each.job.name for each in home.tools.registry.entries() if each.row.source == "repository"] == [
        "shop-greet",
        "shop-part",
    ]


async def test_plan_says_which_jobs_appear_change_and_go_and_what_a_run_gets(home: House) -> None:
    await pushed(home, NEXT, MORE)
    await read(home)
    changed = (
        b"images: {app: {build: {setup: make}}}\njobs:\n"
        b"  greet: {image: app, command: echo hi}\n"
        b"  fresh:\n    command: echo new\n    parameters: {REGION: {}}\n    env: {NAME: value}\n"
    )
    (plan,) = await proposed(home, changed, MORE)
    assert plan.output["title"] == "Jobs: 1 added, 1 changed, 1 removed"
    assert plan.output["summary"] == (
        "Once this is on the default branch, and not before:\n\n"
        "- `shop-fresh` is new\n"
        "  - no image: it runs in an empty directory\n"
        "  - parameters: `REGION`\n"
        "  - variables: `NAME`\n"
        "  - at most 15m\n"
        "- `shop-greet` changes: `image shop-app`\n"
        "  - image: `shop-app`, of `Acme/Shop`\n"
        "  - at most 15m\n"
        "- `shop-part` goes; its history stays\n"
        "- image `shop-app` changes"
    )
    assert plan.annotations == []


@pytest.mark.parametrize("why", ["same file", "no file", "merged", "moved", "another base", "not allowed"])
async def test_pull_request_that_changes_nothing_of_it_gets_no_check(home: House, why: str) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    file: bytes | None = MORE
    pull: dict[str, Any] = {}
    base: bytes | None = GOOD
    if why == "same file":
        file = GOOD
    elif why == "no file":
        file = base = None
    elif why == "merged":
        pull = {"state": "closed"}
    elif why == "moved":
        pull = {"head_sha": HEAD}
    elif why == "another base":
        pull = {"base_ref": "release"}
    else:
        registry = home.tools.registry
        await registry.apply(registry.config.model_copy(update={"repository_jobs": {}}))
    assert await proposed(home, file, base, **pull) == []


async def test_fork_gets_a_plan_as_well_and_no_say(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    (plan,) = await proposed(home, MORE, head_repository=FORK, head_number=99)
    assert plan.output["title"] == "Jobs: 1 added, 1 unchanged"
    assert "shop-part" not in home.tools.registry.catalog.jobs


async def test_plan_of_a_file_that_is_no_file_says_so(home: House) -> None:
    (plan,) = await proposed(home, "elsewhere", None)  # type: ignore[arg-type]
    assert (plan.conclusion, plan.annotations[0]["message"]) == (
        "failure",
        "it is a symbolic link, and has to be a file",
    )


async def test_hundreds_of_mistakes_stand_beside_their_lines_once(home: House) -> None:
    wide = b"jobs:\n" + b"".join(b"  j%d: {a: 1, b: 1, c: 1}\n" % number for number in range(50))
    await pushed(home, NEXT, wide)
    await read(home)
    await send(home)
    (check,) = [each for each in home.github.checks if each.name == NAME]
    assert (check.conclusion, len(check.annotations)) == ("failure", 100)
    assert str(check.output["title"]) == "It has 100 mistakes: No job of it is defined."
    assert "- and 50 more" in str(check.output["summary"])


async def test_interrupted_check_is_found_again(home: House) -> None:
    await pushed(home, NEXT, b"jobs: {greet: {}}\n")
    await read(home)
    (post,) = [each for each in await home.posts() if each.kind == "github_file"]
    sender = home.bot.outbox
    claimed = await home.write(lambda s: posts.claim(s, owner="one", now=home.now + 1, lease=60.0, limit=20))
    (mine,) = [each for each in claimed if each.identity == post.identity]
    await sender._senders["github_file"](mine, None)
    mine.attempts = 2
    await sender._senders["github_file"](mine, None)
    (check,) = [each for each in home.github.checks if each.name == NAME]
    assert len(check.annotations) == 1


async def test_with_a_token_it_is_a_status(home: House) -> None:
    token = home.github.add_token("t0ken", "octocat")
    config = home.tools.registry.config.github
    assert config is not None
    client = GitHub(
        api_url=config.api_url,
        token=Secret(token),
        clone_url=config.fetch_url,
        clock=lambda: home.now,
        known=home.tools.repositories.known,
    )
    plain = home.without(github=client)
    await pushed(plain, NEXT, b"jobs: {greet: {}}\n")
    await read(plain)
    await send(plain)
    await client.close()
    (status,) = [each for each in home.github.statuses if each.context == NAME]
    assert (status.state, status.description) == ("failure", "It has a mistake: No job of it is defined.")


async def test_check_of_a_file_is_told_again_to_whoever_may_write(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    (plan,) = await proposed(home, MORE)
    known = home.github.state.repositories[SHOP]
    for sender, external_id, count in (
        ("reader", plan.external_id, 1),
        ("octocat", plan.external_id + "x", 1),
        ("octocat", plan.external_id, 2),
    ):
        payload = deliveries.check_run(
            SHOP, plan.id, TOPIC, external_id=external_id, sender=sender, private=True, number=known.id
        )
        await tells(home, "check_run", payload)
        await send(home)
        found = [each for each in home.github.checks if (each.head_sha, each.name) == (TOPIC, NAME)]
        assert len(found) == count
    assert found[1].output == plan.output
