"""Code of forks runs only after a maintainer's yes to that very commit, without secrets, in containers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import ConfigError, NotAllowed
from bot.store import journal
from bot.tables import Build, Run
from bot.workers import specs
from executor.spec import Source
from tests.bot.handlers.forking import with_forks
from tests.bot.house import House, house

COMMIT, NEXT = "d" * 40, "e" * 40
CHANGES = {
    "jobs": {
        "check": {
            "env": {"PLAIN": "as $$it is", "TOKEN": "${API_KEY}", "MAYBE": "${NOTHING:-default}"},
            "parameters": {"WHO": {"default": "you"}},
        }
    },
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        made.github.add_pull("acme/shop", 7, COMMIT, "topic", head_repository="stranger/shop")
        yield with_forks(made)


async def approved(home: House) -> None:
    (answer,) = await home.says(f"/job approve {COMMIT}")
    assert "may be built and run here, without secrets" in answer


async def test_nothing_of_a_fork_runs_before_its_commit_was_approved(home: House) -> None:
    for command in ("run check", f"run check --ref {COMMIT}", "run check --ref pull/7/head", "build shop"):
        (answer,) = await home.says(f"/job {command}")
        assert "code of a fork" in answer
    assert await home.store.read(lambda s: s.get(Build, 1)) is None
    await approved(home)
    assert await home.says("/job run check") == []
    assert (await home.run(1)).ref == "stranger/shop:topic"
    rows = await home.store.read(lambda s: list(journal.newest(s, limit=50)))
    assert [(row.subject, row.rule) for row in rows if row.kind == "approval.given"] == [
        (f"commit:{COMMIT}", "github.forks")
    ]


async def test_moved_head_voids_the_yes(home: House) -> None:
    await approved(home)
    home.github.add_pull("acme/shop", 7, NEXT, "topic", head_repository="stranger/shop")
    for command in ("run check", f"run check --ref {COMMIT}"):
        (answer,) = await home.says(f"/job {command}")
        assert any(each in answer for each in ("is the code of a fork", "has no branch, tag or commit"))
    (answer,) = await home.says(f"/job approve {COMMIT}")
    assert f"is not the head of this pull request: that is `{NEXT}`" in answer
    assert await home.says(f"/job approve {NEXT}")
    assert await home.says("/job run check") == []
    assert (await home.run(1)).commit == NEXT


async def test_run_of_what_was_approved_is_not_repeated_once_the_head_has_moved(home: House) -> None:
    await approved(home)
    await home.says("/job run check")
    home.github.add_pull("acme/shop", 7, NEXT, "topic", head_repository="stranger/shop")
    (answer,) = await home.says("/job rerun #1")
    assert "has got other commits" in answer


@pytest.mark.parametrize(
    ("line", "author", "answer"),
    [
        (f"approve {COMMIT}", "reader", "needs write access"),
        (f"approve {NEXT}", "octocat", "is not the head"),
        ("approve ddddd", "octocat", "is no run's number"),
    ],
)
async def test_yes_to_a_commit_that_does_not_count(home: House, line: str, author: str, answer: str) -> None:
    (said,) = await home.says(f"/job {line}", author=author)
    assert answer in said
    assert "code of a fork" in (await home.says("/job run check"))[0]


async def test_beginning_of_the_head_is_enough_while_nobody_has_pushed_since(home: House) -> None:
    assert "may be built" in (await home.says(f"/job approve {COMMIT[:7]}"))[0]


async def test_own_code_needs_no_such_yes(home: House) -> None:
    home.github.add_pull("acme/shop", 7, COMMIT, "topic")
    assert "needs no such yes" in (await home.says(f"/job approve {COMMIT}"))[0]


@pytest.mark.parametrize(("kind", "allowed"), [("process", True), ("container", False)])
async def test_process_engine_and_who_allows_no_forks_run_none(home: House, kind: str, allowed: bool) -> None:
    shut = with_forks(home, kind=kind, allowed=allowed)
    for line in (f"approve {COMMIT}", "run check"):
        (answer,) = await shut.says(f"/job {line}")
        assert "This is the code of a fork" in answer
    await approved(home)
    await home.says("/job run check")
    run, config = await home.run(1), shut.tools.registry.config
    with pytest.raises(ConfigError, match="code of forks is not run"):
        specs.of_run(run, "k", config)
    with pytest.raises(ConfigError, match="code of forks is not run"):
        specs.of_build(await home.build(1), Source("acme/shop", "u", COMMIT), config)


async def test_run_and_build_of_a_fork_get_no_secret_and_the_strictest_engine(home: House) -> None:
    await approved(home)
    await home.says("/job run check")
    run, build, config = await home.run(1), await home.build(1), home.tools.registry.config
    spec = specs.of_run(run, "k", config)
    assert spec.env["PLAIN"] == "as $it is"
    assert (spec.env["WHO"], spec.env["ERRAND_COMMIT"]) == ("you", COMMIT)
    assert not {"TOKEN", "MAYBE"} & spec.env.keys()
    assert (spec.secrets, spec.references, spec.untrusted) == ((), {}, True)
    assert (spec.read_only, spec.service_account) == (True, "")
    build.definition = build.definition | {"build": build.definition["build"] | {"secrets": ["API_KEY"]}}
    made = specs.of_build(build, Source("acme/shop", "u", COMMIT), config)
    assert made.recipe is not None
    assert (made.recipe.secrets, made.untrusted) == ({}, True)
    assert (spec.about.labels["fork"], made.about.labels["fork"]) == ("true", "true")
    own = specs.of_run(run.model_copy(update={"ref": "main"}), "k", config)
    assert (own.env["TOKEN"], "fork" in own.about.labels) == ("s3cr3t", False)


async def test_each_fork_is_built_apart_from_the_repository_and_from_other_forks(home: House) -> None:
    await approved(home)
    await home.says("/job run check")
    build, config = await home.build(1), home.tools.registry.config

    def place(ref: str) -> str:
        made = specs.of_build(build.model_copy(update={"ref": ref}), Source("acme/shop", "u", COMMIT), config)
        return made.source.repository

    forks = [place(f"{ref}/shop:{branch}") for ref in ("stranger", "other") for branch in ("a", "b")]
    assert [forks.index(each) for each in forks] == [0, 0, 2, 2]
    assert all(each.startswith("acme.fork/shop.") for each in forks)
    assert place("main") == "acme/shop"


async def test_build_of_a_fork_is_for_nothing_else(home: House) -> None:
    await approved(home)
    await home.says("/job run check")
    home.github.state.repositories["acme/shop"].refs["topic"] = COMMIT
    await home.push(COMMIT, branch="topic")
    home.github.add_pull("acme/shop", 7, COMMIT, "topic")
    await home.says("/job run check")
    first, second = await home.run(1), await home.run(2)
    assert (first.commit, second.commit) == (COMMIT, COMMIT)
    assert first.build_number != second.build_number


async def test_pull_request_of_a_fork_changes_no_configuration(home: House) -> None:
    """What is run, and by whose yes, is what app.yaml and the default branch say."""
    before = home.tools.registry.catalog
    home.github.add_pull("acme/shop", 7, COMMIT, "topic", head_repository="stranger/shop")
    await home.says("/job plan check")
    asked = [request.path for request in home.github.requests if "/contents/" in request.path]
    assert asked == []
    assert home.tools.registry.catalog is before


async def test_guard_asks_for_each_commit_by_itself(home: House) -> None:
    await approved(home)
    await home.bot.resolver.forks.require("Acme/Shop", COMMIT)
    with pytest.raises(NotAllowed, match="is the code of a fork"):
        await home.bot.resolver.forks.require("Acme/Shop", NEXT)
    run = Run(key="k", name="k", job="check", cause="comment", actor="github:a", created_at=0.0, ref="main")
    assert not specs._of_fork(run, home.tools.registry.config)
