"""Everything is stopped and let go on by those whom the whole installation names, through whatever door."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.access.callers import Caller, of_person, of_token, of_workflow
from bot.commands import parser
from bot.errors import AskerError
from bot.handlers import page_rights
from bot.states import EVERYTHING
from bot.store import freezes, journal, locks
from bot.tables import Lock, ManualFreeze
from tests.bot.handlers.slack.hands import let_in
from tests.bot.house import SHOP, SITE, House, house

JOBS = """
  alone: {command: "true"}
  ship: {image: shop, command: "true", lock: prod}
"""
CHANGES = {
    "pages": {"admins": ["github:ada"]},
    "override": ["leads"],
    "people": {"leads": ["github:lead"]},
    "slack": {"people": {"U0ADA": "ada", "U0LEAD": "lead", "U0OCTOCAT": "octocat"}},
}
OTHERS = "github:somebody"

Door = Callable[[House, str], Awaitable[str]]


def comment(author: str, repository: str = SHOP) -> Door:
    async def says(home: House, line: str) -> str:
        return str(await home.says(f"/job {line}", author=author, repository=repository))

    return says


def slack(user: str) -> Door:
    async def types(home: House, line: str) -> str:
        return str(await home.types(line, user=user))

    return types


def page(login: str) -> Door:
    async def clicks(home: House, line: str) -> str:
        context = page_rights.context(login, line)
        return str(await told(home.bot.pages.actions.perform(context, COMMANDS[line])))

    return clicks


def api(caller: Caller) -> Door:
    async def calls(home: House, line: str) -> str:
        queries = home.bot.queries
        match COMMANDS[line]:
            case parser.Lock() as command:
                return str(await told(queries.lock(caller, command)))
            case parser.Unlock() as command:
                return str(await told(queries.unlock(caller, command.target)))
            case parser.Freeze() as command:
                return str(await told(queries.freeze(caller, command)))
            case parser.Thaw() as command:
                return str(await told(queries.thaw(caller, command)))
        raise AssertionError(line)

    return calls


async def told(answer: Awaitable[object]) -> object:
    try:
        return await answer
    except AskerError as refusal:
        return refusal


COMMANDS: dict[str, parser.Command] = {
    "lock --global": parser.Lock(EVERYTHING),
    "unlock --global": parser.Unlock(EVERYTHING),
    "unlock gone": parser.Unlock("gone"),
    "freeze": parser.Freeze(),
    "freeze --lock p*": parser.Freeze(lock="p*"),
    "thaw": parser.Thaw(),
}

WHO: dict[str, tuple[Door, bool]] = {
    "admin in a comment": (comment("ada"), True),
    "admin in a public place": (comment("ada", SITE), True),
    "whom override names, in a comment": (comment("lead"), True),
    "writer": (comment("octocat"), False),
    "writer in a public place": (comment("octocat", SITE), False),
    "reader": (comment("reader"), False),
    "admin in Slack": (slack("U0ADA"), True),
    "whom override names, in Slack": (slack("U0LEAD"), True),
    "writer in Slack": (slack("U0OCTOCAT"), False),
    "nobody in Slack": (slack("U0NOBODY"), False),
    "admin on a page": (page("ada"), True),
    "whom override names, on a page": (page("lead"), True),
    "writer on a page": (page("octocat"), False),
    "token with admin": (api(of_token("boss", frozenset({"admin"}))), True),
    "token for every job": (api(of_token("all", frozenset({"run:*", "read"}))), False),
    "token for one job": (api(of_token("one", frozenset({"run:alone"}))), False),
    "workflow": (api(of_workflow("actions:acme/shop@x", frozenset({"run:alone"}))), False),
    "admin by the command line": (api(of_person("ada", frozenset({"admin"}))), True),
    "writer by the command line": (api(of_person("octocat", frozenset({"run:ship"}))), False),
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS, changes=CHANGES) as made:
        let_in(made)
        for repository in (SHOP, SITE):
            for login in ("octocat", "ada", "lead"):
                made.github.add_person(repository, login, "write")
        yield made


async def stopped(home: House) -> tuple[int, int]:
    """How many locks and freezes there are."""
    return (
        len(await home.store.read(lambda s: locks.closed(s, now=home.now))),
        len(await home.store.read(lambda s: freezes.going(s, now=home.now))),
    )


async def stop(home: House, actor: str) -> None:
    """Lock and freeze everything, and a name that no job has."""
    for target in (EVERYTHING, "gone"):
        lock = Lock(target=target, actor=actor, created_at=home.now)
        await home.write(lambda s, lock=lock: locks.add(s, lock, now=home.now))  # type: ignore[misc]
    row = ManualFreeze(actor=actor, created_at=home.now)
    await home.write(lambda s: freezes.begin(s, row, now=home.now))


async def free(home: House) -> None:
    """Let everything go on again."""
    for target in (EVERYTHING, "gone"):
        await home.write(lambda s, target=target: locks.remove(s, target, now=home.now))  # type: ignore[misc]
    await home.write(lambda s: freezes.end(s, freezes.going(s, now=home.now), now=home.now))


async def test_who_may_stop_everything_and_let_it_go_on(home: House) -> None:
    for who, (door, may) in WHO.items():
        stops = (("lock --global", (1, 0)), ("freeze", (1, 1)), ("freeze --lock p*", (1, 2)))
        for line, after in stops:
            answer = await door(home, line)
            assert await stopped(home) == (after if may else (0, 0)), (who, line, answer)
        await free(home)
        await stop(home, OTHERS)
        held = "run:*" if who == "token for every job" else None  # which is for names of no job, too
        for line, after in (("unlock --global", (1, 1)), ("unlock gone", (0, 1)), ("thaw", (0, 0))):
            answer = await door(home, line)
            if not may:
                after = (1, 1) if held and line != "unlock --global" else (2, 1)
            assert await stopped(home) == after, (who, line, answer)
        await free(home)


async def test_refusal_says_whom_to_ask_but_not_where_everybody_reads(home: House) -> None:
    (reply,) = await home.says("/job lock --global")
    assert "Sorry, `octocat`: locking everything is for `github:ada`, `leads`; ask one of them." in reply
    (reply,) = await home.says("/job lock --global", repository=SITE)
    assert "locking everything is for those whom its rule names" in reply
    assert "leads" not in reply
    await stop(home, OTHERS)
    (reply,) = await home.says("/job unlock gone\n/job thaw")
    assert "unlocking `gone`, which no job names, is for `github:ada`, `leads`" in reply
    assert "`somebody` began this freeze; they may end it, and so may `github:ada`, `leads`." in reply
    (entry, *_) = await home.store.read(lambda s: list(journal.newest(s, limit=9)))
    assert (entry.kind, entry.actor) == ("refused", "github:octocat")


async def test_nobody_may_where_nobody_is_named(tmp_path: Path) -> None:
    async with house(tmp_path, jobs=JOBS) as home:
        for line, what in (("lock --global", "locking everything"), ("freeze", "freezing everything")):
            (reply,) = await home.says(f"/job {line}")
            assert f"are for {what}, and these name nobody here" in reply
        assert await stopped(home) == (0, 0)


async def test_who_stopped_it_lets_it_go_on_while_they_may_run_something(home: House) -> None:
    await stop(home, "slack:Octocat")
    home.github.add_person("acme/shop", "octocat", "read")
    await home.says("/job unlock --global\n/job unlock gone\n/job thaw")
    assert await stopped(home) == (2, 1)
    home.github.add_person("acme/shop", "octocat", "write")
    home.now += 61  # a permission is known for a minute
    await home.says("/job unlock --global\n/job unlock gone\n/job thaw")
    assert await stopped(home) == (0, 0)


async def test_lock_of_jobs_that_are_not_seen_is_not_opened_as_one_of_no_job(home: House) -> None:
    await home.says("/job lock prod")
    assert await stopped(home) == (1, 0)
    (reply,) = await home.says("/job unlock prod", repository=SITE)
    (other,) = await home.says("/job unlock prd", author="ada", repository=SITE)
    assert await stopped(home) == (1, 0)
    assert "`prod` is not locked" in reply
    assert "`prd` is not locked" in other
