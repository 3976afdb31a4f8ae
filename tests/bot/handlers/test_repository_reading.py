"""What comes of the file of a repository: read as it is, by the repository's number, and never half."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.config import job_of
from bot.errors import RetryLater
from bot.registry import Conflict
from bot.store import Session, repository_files, versions
from bot.tables import JournalEntry, Post, RepositoryFile
from demo import payloads
from tests.bot.house import HEAD, SHOP, SITE, House, house
from tests.bot.store.test_history import add

NEXT, LAST = "1" * 40, "2" * 40
GOOD = b"images: {app: {build: {}}}\njobs:\n  greet: {image: app, command: echo hi}\n"
MORE = GOOD + b"  part: {image: app, command: echo bye}\n"
RULES = {"acme/*": {"unconfined": True}}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which both repositories may define jobs."""
    async with house(tmp_path, changes={"repository_jobs": RULES}) as made:
        yield made


async def pushed(home: House, commit: str, file: bytes | str | None, repository: str = SHOP) -> None:
    """The default branch of a repository is at `commit` with this file, and GitHub says so."""
    known = home.github.state.repository(repository)
    assert known is not None
    known.refs[known.default_branch] = commit
    known.files[commit] = {} if file is None else {".errand.yaml": file}
    await home.push(commit, repository=repository, branch=known.default_branch)


async def read(home: House) -> RepositoryFile:
    """What is to be read is read, once; gives its row afterwards."""
    home.now = time.time()  # by which the registry says when
    (row,) = await home.write(
        lambda s: repository_files.claim(s, owner="one", now=home.now, lease=60.0, limit=9)
    )
    await home.bot.repository_files.reader.read(row)
    return await stored(home, row.repository_number)


async def stored(home: House, number: int) -> RepositoryFile:
    row = await home.store.read(lambda s: repository_files.of_number(s, number))
    assert row is not None
    return row


async def tells(home: House, event: str, payload: dict[str, Any]) -> None:
    await home.bot.deliveries.handle(await home.deliver(event, json.dumps(payload).encode()))


def own(home: House) -> list[str]:
    """The jobs that repositories define."""
    return [each.job.name for each in home.tools.registry.entries() if each.row.source == "repository"]


async def reports(home: House) -> list[dict[str, Any]]:
    return [post.place["report"] for post in await home.posts() if post.kind == "github_file"]


async def entries(home: House) -> list[tuple[str, str, dict[str, Any]]]:
    """What the journal has of files."""

    def found(session: Session) -> list[tuple[str, str, dict[str, Any]]]:
        rows = session.scalars(select(JournalEntry)).all()
        return [(row.kind, row.actor, row.facts) for row in rows if row.subject.startswith("repository:")]

    return await home.store.read(found)


async def test_good_file_is_in_force_with_who_pushed_it(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    row = await read(home)
    assert (row.state, row.commit, row.branch, row.prefix) == ("good", NEXT, "main", "shop")
    entry = home.tools.registry.entry("shop-greet")
    assert entry is not None
    assert (entry.row.source, entry.row.actor) == ("repository", "github:octocat")
    assert entry.row.origin == {
        "repository": "Acme/Shop",
        "number": row.repository_number,
        "commit": NEXT,
        "line": 3,
    }
    assert home.tools.registry.catalog.repository_of(entry.job) == "Acme/Shop"
    (told,) = await reports(home)
    assert told["title"] == "Jobs: 1 added"
    ((kind, actor, facts),) = await entries(home)
    assert (kind, actor, facts["jobs"]) == ("repository.read", "github:octocat", ["shop-greet"])


async def test_the_same_file_at_another_commit_changes_and_tells_nothing(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    await pushed(home, LAST, GOOD)
    row = await read(home)
    assert (row.commit, row.revision, len(await reports(home)), len(await entries(home))) == (LAST, 1, 1, 1)
    entry = home.tools.registry.entry("shop-greet")
    assert entry is not None
    assert entry.row.version == 1


async def test_mistake_leaves_what_was_in_force_and_is_told_of_every_commit_once(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    await pushed(home, LAST, b"jobs: {greet: {}}\n")
    row = await read(home)
    assert (row.state, row.commit, own(home)) == ("wrong", NEXT, ["shop-greet"])
    await pushed(home, LAST, b"jobs: {greet: {}}\n")
    await read(home)
    assert [each["conclusion"] for each in await reports(home)] == ["success", "failure"]
    assert [kind for kind, _, _ in await entries(home)] == ["repository.read", "repository.refused"]


async def test_older_push_that_comes_late_brings_back_nothing(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await pushed(home, LAST, MORE)
    await home.push(NEXT)
    row = await read(home)
    assert (row.seen, own(home)) == (LAST, ["shop-greet", "shop-part"])


async def test_push_to_another_branch_or_of_who_may_not_has_nothing_read(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"repository_jobs": {SHOP: {"unconfined": True}}}) as home:
        await home.push(NEXT, branch="feature")
        await pushed(home, NEXT, GOOD, SITE)
        assert await home.store.read(repository_files.rows) == []


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("somewhere/else.yaml", "it is a symbolic link, and has to be a file"),
        (b"x" * 200_000, "it is larger than 64 KiB"),
        (b"\xff", "the file is not UTF-8 text"),
    ],
)
async def test_what_is_no_small_file_is_not_even_fetched(home: House, file: bytes | str, told: str) -> None:
    await pushed(home, NEXT, file)
    row = await read(home)
    assert (row.state, told in (row.problem or "")) == ("wrong", True)
    fetched = [each for each in home.github.requests if "/git/blobs/" in each.path]
    assert len(fetched) == (file == b"\xff")
    (report,) = await reports(home)
    assert (report["notes"][0]["line"], report["notes"][0]["column"]) == (1, 1)


@pytest.mark.parametrize("end", ["removed file", "archived", "deleted", "uninstalled", "branch gone"])
async def test_jobs_go_with_what_they_stood_in_and_come_back_with_it(home: House, end: str) -> None:
    known = home.github.state.repositories[SHOP]
    await pushed(home, NEXT, GOOD)
    await read(home)
    if end == "removed file":
        await pushed(home, LAST, None)
    elif end == "branch gone":
        del known.refs["main"]
        await home.push(NEXT)
    else:
        if end == "archived":
            known.archived = True
        elif end == "deleted":
            home.github.remove(SHOP)
        else:
            home.github.uninstall("acme")
        payload = payloads.repository_changed(SHOP, "archived" if end == "archived" else "deleted", known.id)
        await tells(home, "repository", payload)
    row = await read(home)
    assert (row.state, own(home)) == ("none" if end in ("removed file", "branch gone") else "gone", [])
    assert "shop-app" not in home.tools.registry.catalog.images
    if end == "archived":
        known.archived = False
        await tells(home, "repository", payloads.repository_changed(SHOP, "unarchived", known.id))
        await read(home)
        assert own(home) == ["shop-greet"]


async def test_default_branch_that_changes_is_the_one_that_counts(home: House) -> None:
    known = home.github.state.repositories[SHOP]
    await pushed(home, NEXT, GOOD)
    await read(home)
    known.refs["trunk"], known.files[LAST] = LAST, {".errand.yaml": MORE}
    known.default_branch = "trunk"
    await tells(home, "repository", payloads.repository_changed(SHOP, "edited", known.id))
    row = await read(home)
    assert (row.branch, own(home)) == ("trunk", ["shop-greet", "shop-part"])


async def test_renamed_repository_keeps_its_jobs_and_who_takes_its_name_gets_none(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    row = await read(home)
    home.github.rename(SHOP, "acme/store")
    await tells(home, "repository", payloads.moved("acme/store", SHOP, number=row.repository_number))
    assert (await read(home)).state == "good"
    assert own(home) == ["shop-greet"]
    home.github.add_repository(SHOP, refs={"main": LAST}, private=True)
    await pushed(home, LAST, MORE)
    assert [each.repository_number for each in await home.store.read(repository_files.rows)] == [
        row.repository_number
    ]
    assert own(home) == ["shop-greet"]


async def test_repository_that_only_a_pattern_lets_in_loses_its_jobs_with_its_account(tmp_path: Path) -> None:
    changes = {"repository_jobs": RULES, "github": {"repositories": ["acme/*"]}}
    async with house(tmp_path, changes=changes) as home:
        home.github.add_repository("acme/tool", refs={"main": HEAD}, private=True)
        await pushed(home, NEXT, GOOD, "acme/tool")
        assert (await read(home)).prefix == "tool"
        assert own(home) == ["tool-greet"]
        number = home.github.state.repositories["acme/tool"].id
        home.github.rename("acme/tool", "acme/kit")
        await tells(home, "repository", payloads.moved("acme/kit", "acme/tool", number=number))
        row = await read(home)
        assert (row.repository, own(home)) == ("acme/kit", ["tool-greet"])
        home.github.rename("acme/kit", "other/kit")
        home.github.install("other")
        await tells(home, "repository", payloads.moved("other/kit", "acme/kit", number=number))
        assert ((await read(home)).state, own(home)) == ("gone", [])


async def test_name_that_is_let_go_is_free_with_its_jobs(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    old = await read(home)
    home.github.remove(SHOP)
    home.github.add_repository(SHOP, refs={"main": LAST}, private=True)
    await home.tools.repositories.forget("acme/shop", by="token:boss")
    await read(home)
    assert (await stored(home, old.repository_number)).state == "gone"
    await pushed(home, LAST, MORE)
    await read(home)
    assert own(home) == ["shop-greet", "shop-part"]


async def test_names_of_others_are_refused_also_while_their_history_is_kept(home: House) -> None:
    registry = home.tools.registry
    job = job_of(b'{"command": "echo api"}', "shop-greet", registry.config)
    await registry.put(job, actor="token:boss", expected=lambda version: True)
    await pushed(home, NEXT, GOOD)
    row = await read(home)
    assert row.problem == "3:3: jobs.greet: shop-greet is a job of the API already"
    await home.write(lambda s: add(s, "fs", job="shop-greet"))
    assert await registry.remove("shop-greet", actor="token:boss", expected=lambda version: True)
    await home.push(NEXT)
    assert "the history of another job" in ((await read(home)).problem or "")
    await home.bot.retention.look(home.now)
    await home.push(NEXT)
    assert (await read(home)).state == "good"
    with pytest.raises(Conflict, match=r"defined in \.errand\.yaml of Acme/Shop"):
        await registry.put(job, actor="token:boss", expected=lambda version: True)


async def test_two_repositories_with_one_prefix_have_one_name_once(tmp_path: Path) -> None:
    rules = {"acme/*": {"unconfined": True, "prefix": "team"}}
    async with house(tmp_path, changes={"repository_jobs": rules}) as home:
        await pushed(home, NEXT, GOOD)
        await read(home)
        await pushed(home, NEXT, GOOD, SITE)
        row = await read(home)
        told = (row.problem or "").splitlines()
        assert told[0].endswith("images.app: there is an image team-app already")
        assert told[1].endswith("jobs.greet: team-greet is a job of another repository already")


async def test_name_that_is_taken_between_reading_and_storing_is_tried_again(home: House) -> None:
    registry = home.tools.registry
    await pushed(home, NEXT, GOOD)
    job = job_of(b'{"command": "echo api"}', "shop-greet", registry.config)
    content = job.model_dump(mode="json")
    await home.write(lambda s: versions.add(s, "shop-greet", content, source="api", actor="token:x", now=0.0))
    with pytest.raises(RetryLater, match="taken a moment ago"):
        await read(home)


async def test_servers_file_that_allows_less_takes_jobs_away_at_once(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    registry = home.tools.registry
    await registry.apply(registry.config.model_copy(update={"repository_jobs": {}}))
    assert own(home) == []
    assert (await read(home)).state == "gone"
    await home.reread()
    assert own(home) == []
    await read(home)
    assert own(home) == ["shop-greet"]


async def test_job_that_the_servers_file_gets_later_is_the_servers(home: House) -> None:
    await pushed(home, NEXT, MORE)
    await read(home)
    registry = home.tools.registry
    mine = job_of(b'{"command": "echo server"}', "new", registry.config).model_copy(
        update={"name": "shop-greet"}
    )
    config = registry.config.model_copy(update={"jobs": {**registry.config.jobs, "shop-greet": mine}})
    await registry.apply(config)
    entry = registry.entry("shop-greet")
    assert entry is not None
    assert (entry.row.source, own(home)) == ("file", ["shop-part"])
    assert "shop-greet is a job of the server's file already" in ((await read(home)).problem or "")


async def test_stored_definitions_are_used_at_a_start_while_github_is_away(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    again = home.without(config=home.tools.registry.config)
    await again.tools.registry.apply(again.tools.registry.config)
    assert own(again) == ["shop-greet"]
    assert "shop-app" in again.tools.registry.catalog.images
    await pushed(home, LAST, MORE)
    await read(again)
    assert own(again) == ["shop-greet", "shop-part"]


async def test_what_is_stored_of_one_repository_keeps_nobody_from_a_start(home: House) -> None:
    await pushed(home, NEXT, GOOD)
    await read(home)
    await pushed(home, NEXT, GOOD, SITE)
    row = await read(home)

    def spoil(session: Session) -> None:
        found = repository_files.of_number(session, row.repository_number)
        assert found is not None
        found.written = {"jobs": {"greet": [["no", "job"]], "x": {"command": {"a": 1}}}, "images": 3}

    await home.write(spoil)
    await home.tools.registry.apply(home.tools.registry.config)
    assert own(home) == ["shop-greet"]


async def test_repository_that_is_named_is_found_at_a_start(tmp_path: Path) -> None:
    rules = {SHOP: {"unconfined": True}, "acme/nothing": {}, "acme/*": {}}
    changes = {"repository_jobs": rules, "github": {"repositories": ["acme/*"]}}
    async with house(tmp_path, changes=changes) as home:
        known = home.github.state.repositories[SHOP]
        known.files[HEAD] = {".errand.yaml": GOOD}
        await home.bot.repository_files.discovery.look()
        row = await read(home)
        assert (row.repository_number, own(home)) == (known.id, ["shop-greet"])
        entry = home.tools.registry.entry("shop-greet")
        assert entry is not None
        assert entry.row.actor == "repository"


async def test_plan_is_wanted_for_pull_requests_to_the_default_branch_alone(home: House) -> None:
    for action in ("opened", "closed", "synchronize"):
        await tells(home, "pull_request", payloads.pull_request(SHOP, 7, NEXT, "topic", action=action))
    wanted: list[Post] = [post for post in await home.posts() if post.kind == "github_file_plan"]
    assert [(post.place["pull"], post.place["commit"]) for post in wanted] == [(7, NEXT)]
