"""No code of forks by a side door: what a name means, and whose commit it is."""

from pathlib import Path

import pytest

from bot.access.callers import Caller, of_token, of_workflow
from bot.access.scopes import EVERY_JOB
from bot.errors import NotAllowed, Unfit
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Target
from bot.handlers.places import HttpPlace
from bot.handlers.start import StartRequest
from bot.states import Cause
from bot.store import Session, builds
from bot.tables import Build, Run
from tests.bot.handlers.forking import looked_at, with_forks
from tests.bot.house import HEAD, SHOP, House, house

FORK, EARLIER, TOPIC = "d" * 40, "e" * 40, "b" * 40
SCOPES = frozenset({EVERY_JOB})


@pytest.fixture
def shop(home: House) -> House:
    """`main` after EARLIER; pull request 8 of a fork, whose commit is nowhere else."""
    repository = home.github.state.repositories[SHOP]
    repository.parents |= {HEAD: EARLIER, FORK: HEAD}
    home.github.add_pull(SHOP, 8, FORK, "main", head_repository="stranger/shop")
    return home


async def target(home: House, ref: str | None) -> Target:
    asked = RequestContext("k", Cause.API, "token:t", None, HttpPlace(of_token("t", SCOPES)))
    return await home.bot.resolver.target(asked, "shop", ref)


def asked_of(home: House, path: str) -> int:
    return sum(path in request.path for request in home.github.requests)


@pytest.mark.parametrize(
    "caller", [of_token("t", SCOPES), of_workflow("actions:acme/shop@refs/heads/x", SCOPES)]
)
@pytest.mark.parametrize("ref", [FORK, FORK[:12], "pull/8/head", "refs/pull/8/head"])
async def test_commit_of_a_fork_is_started_by_no_name(shop: House, caller: Caller, ref: str) -> None:
    with pytest.raises(NotAllowed, match="on no branch and no tag of `Acme/Shop`"):
        await shop.bot.calls.start(caller, "check", StartRequest(ref=ref))
    assert await shop.store.read(lambda s: builds.get(s, 1)) is None


@pytest.mark.parametrize(
    "line", [f"run check --ref {FORK}", "plan check --ref pull/8/head", f"build shop --ref {FORK}"]
)
async def test_commit_of_a_fork_is_refused_in_comments(shop: House, line: str) -> None:
    (reply,) = await shop.says(f"/job {line}")
    assert "counts as the code of a fork" in reply


@pytest.mark.parametrize(
    "ref", ["pull/8/main", "heads/pull/8/head", "refs/changes/1", "HEAD", f"x-1-g{FORK[:9]}"]
)
async def test_what_is_no_branch_tag_or_commit_is_none(shop: House, ref: str) -> None:
    with pytest.raises(Unfit, match="has no branch, tag or commit"):
        await target(shop, ref)


@pytest.mark.parametrize("ref", [HEAD, HEAD[:7], EARLIER, TOPIC, "pull/9/head"])
async def test_commit_on_a_branch_is_the_repositorys_own(shop: House, ref: str) -> None:
    shop.github.add_pull(SHOP, 9, TOPIC, "feature")
    found = await target(shop, ref)
    assert found.source is not None
    assert ":" not in (found.source.ref or "")


async def test_commit_before_the_tip_of_a_tag_is_the_repositorys_own(shop: House) -> None:
    repository = shop.github.state.repositories[SHOP]
    repository.tags["v1"], repository.parents["f" * 40] = "f" * 40, "9" * 40
    assert (await target(shop, "9" * 40)).source is not None


async def test_whose_a_commit_is_is_asked_once_and_a_no_not_kept_for_long(shop: House) -> None:
    for _ in range(3):
        with pytest.raises(NotAllowed):
            await target(shop, FORK)
        await target(shop, EARLIER)
    assert asked_of(shop, f"commits/{FORK}/branches-where-head") == 1
    assert asked_of(shop, f"...{EARLIER}") == 1


async def test_error_of_github_is_no_answer(shop: House) -> None:
    shop.github.fail("/compare/", 502)
    with pytest.raises(Exception, match="502"):
        await target(shop, EARLIER)
    assert (await target(shop, EARLIER)).source is not None


async def test_run_of_a_fork_from_before_is_not_repeated(shop: House) -> None:
    def store(session: Session) -> None:
        build = Build(
            key="b", name="b", image="shop", repository="Acme/Shop", commit=FORK, definition={"name": "shop"},
            cause="api", actor="a", created_at=1.0,
        )  # fmt: skip
        session.add(build)

    await shop.write(store)
    run = Run(
        key="r", name="r", job="check", cause="api", actor="a", ref=FORK, build_number=1, created_at=1.0
    )
    asked = RequestContext("k", Cause.API, "token:t", None, HttpPlace(of_token("t", SCOPES)))
    with pytest.raises(NotAllowed, match="counts as the code of a fork"):
        await shop.bot.resolver.same_target(asked, run, "Acme/Shop")


async def test_where_forks_are_allowed_their_commits_are_and_are_known_as_such(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        home = with_forks(made)
        home.github.add_pull(SHOP, 8, FORK, "main", head_repository="stranger/shop")
        with pytest.raises(NotAllowed, match="looked at it and says `/job approve ddd"):
            await target(home, "pull/8/head")
        await looked_at(home, FORK, 8)
        found = await target(home, "pull/8/head")
        assert found.source is not None
        assert (found.source.commit, found.source.ref) == (FORK, "a fork:pull/8/head")


async def test_branch_counts_before_a_tag_of_its_name_and_that_is_said(shop: House) -> None:
    repository = shop.github.state.repositories[SHOP]
    repository.refs["v1"], repository.tags["v1"] = "1" * 40, "2" * 40
    replies = await shop.says("/job run check --ref v1")
    assert any("`v1` is a branch and a tag" in text and "--ref tags/v1" in text for text in replies)
    run = await shop.run(1)
    assert (run.ref, run.commit) == ("v1", "1" * 40)
    await shop.says("/job run check --ref tags/v1")
    run = await shop.run(2)
    assert (run.ref, run.commit) == ("tags/v1", "2" * 40)


@pytest.mark.parametrize(
    "name",
    [
        "größe",
        "fix/100%",
        "a(b)",
        "🚀",
        "dependabot/npm_and_yarn/@types/node-20.1",
        "it's",
        'a"b',
        "%2e%2E",
        "a#1;b&c=d",
        "日本/語",
    ],
)
async def test_branch_of_any_name_that_git_has_is_found_by_a_command(shop: House, name: str) -> None:
    shop.github.state.repositories[SHOP].refs[name] = "7" * 40
    word = '"' + name.replace('"', '\\"') + '"'
    await shop.says(f"/job run check --ref {word}")
    run = await shop.run(1)
    assert (run.ref, run.commit) == (name, "7" * 40)
