"""Rules of jobs at every door: what the table of who may what says is what each of them does."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.access.callers import of_person, of_token
from bot.catalog.catalog import Job
from bot.commands import parser
from bot.config.definitions import Wrong, job_of
from bot.errors import AskerError, RetryLater
from bot.handlers import page_rights
from bot.handlers.authorization import RequestContext
from bot.handlers.places import PagePlace
from bot.handlers.start import StartRequest
from bot.messages.slack.actions import Action
from bot.states import Cause, EntryKind
from bot.store import journal, posts
from bot.tables import Build, Run
from tests.bot.handlers.slack.test_presses import press
from tests.bot.handlers.test_checks import BUILT, _pressed
from tests.bot.handlers.test_repository_reading import GOOD, NEXT, RULES, pushed, read
from tests.bot.house import SHOP, House, house
from tests.bot.posting.test_outbox import send
from tests.webhooks.whole import served

PEOPLE = {
    "ops": ["github:@acme/ops", "leads"],
    "leads": ["github:lead", "slack:U0NAMED"],
}
JOBS: dict[str, dict[str, Any]] = {
    "open": {"image": "shop"},
    "migrate": {"image": "shop", "allow": ["ops", "slack:@oncall"]},
    "closed": {"image": "shop", "deny": ["github:@acme/contractors"]},
    "maintain": {"image": "shop", "allow": ["github:permission/maintain"]},
    "homed": {"repositories": [SHOP]},
    "live": {"allow": ["slack:@oncall", "github:@acme"]},
    "homeless": {},
    "ruled": {"image": "shop", "allow": ["token:ci"]},
}
PERSONS = {
    "octocat": "U0OCTOCAT",
    "reader": "U0READER",
    "contractor": "U0CONTR",
    "opsie": "U0OPSIE",
    "lead": "U0LEAD",
    "keeper": "U0KEEPER",
}
MAY = {
    "octocat": {"open", "closed", "homed", "ruled"},
    "reader": set(),
    "contractor": {"open", "homed", "ruled"},
    "opsie": {"migrate", "live"},
    "lead": {"migrate"},
    "keeper": {"open", "closed", "homed", "ruled", "maintain"},
}
OTHERS = {
    "octocat": {"shop-greet"},
    "reader": set(),
    "contractor": {"shop-greet"},
    "opsie": {"made"},
    "lead": {"made"},
    "keeper": {"shop-greet"},
}
"""The same of jobs that are defined elsewhere: `made` is for `ops`, the other one for who may write."""
CHANGES = {
    "repository_jobs": RULES,
    "people": PEOPLE,
    "slack": {"people": {user: login for login, user in PERSONS.items()}},
    "jobs": {
        name: {"command": "true", "schedule": {"cron": "0 4 * * *"}, **keys} for name, keys in JOBS.items()
    },
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        for login, role in (("contractor", "write"), ("keeper", "maintain")):
            made.github.add_person(SHOP, login, role)
        for installation in made.github.state.installations.values():
            installation.permissions["members"] = "read"
        made.github.add_member("acme", "opsie")
        made.github.add_to_team("acme", "ops", "opsie")
        made.github.add_to_team("acme", "ops", "reader", "pending")
        made.github.add_to_team("acme", "contractors", "contractor")
        oncall = [
            made.slack.add_person(name, id=f"U0{name.upper()}") for name in ("oncall", "named", "other")
        ]
        guest = made.slack.add_person("guest", id="U0GUEST", guest="restricted")
        made.slack.add_group("oncall", oncall[0], guest)
        yield made


async def count(home: House) -> int:
    return await home.store.read(lambda session: session.query(Run).count())


async def runs_of(home: House, job: str, door: Awaitable[object]) -> bool:
    """Whether a run of the job came of it."""
    before = await count(home)
    try:
        await door
    except AskerError:
        return False
    after = await count(home)
    if after > before:
        assert (await home.run(after)).job == job
    return after > before


async def by_comment(home: House, login: str, job: str) -> object:
    return await home.says(f"/job run {job}", author=login)


async def by_slack(home: House, login: str, job: str) -> object:
    return await home.types(f"run {job}", user=PERSONS[login])


async def by_mention(home: House, login: str, job: str) -> object:
    channel, text = home.slack.channels[0].id, f"<@{home.slack.bot_user}> run {job}"
    about = {"user": PERSONS[login], "ts": home.slack.stamp(), "channel": channel}
    return await home.tells({"type": "app_mention", "text": text, **about})


async def by_page(home: House, login: str, job: str) -> object:
    bot = home.bot.pages.actions
    return await bot.start(page_rights.context(login, f"{login}-{job}"), job, StartRequest())


async def by_command_line(home: House, login: str, job: str) -> object:
    held = await home.bot.pages.rights.of(login)
    return await home.bot.calls.start(of_person(login, held), job, StartRequest())


Door = Callable[[House, str, str], Awaitable[object]]
DOORS: dict[str, Door] = {
    "slack": by_slack,
    "mention": by_mention,
    "page": by_page,
    "command line": by_command_line,
}


async def elsewhere(home: House) -> list[str]:
    """Jobs that no file of this installation defines: one of the API, and one of a repository."""
    made = Job(name="made", command="true", image="shop", allow=["ops"])
    await home.tools.registry.put(made, actor="token:ops", expected=lambda version: True)
    await pushed(home, NEXT, GOOD)
    await read(home)
    return ["made", "shop-greet"]


async def told(home: House, who: str) -> set[str]:
    """The jobs that somebody may run as the API tells an admin."""
    async with served(home, "admin") as client:
        answer = await client.get("/api/who", params={"login": who})
    rows = answer.json()["jobs"]
    assert [row["job"] for row in rows] == sorted(home.tools.registry.catalog.jobs)
    assert all(row["by"] if row["may"] else row["why"] for row in rows)
    return {row["job"] for row in rows if row["may"]} & {*JOBS, "made", "shop-greet"}


@pytest.mark.parametrize("login", PERSONS)
async def test_table_says_what_the_doors_do(home: House, login: str) -> None:
    """Of jobs of the file, one of the API and one of a repository."""
    bot, jobs = home.bot, {*JOBS, *await elsewhere(home)}
    table = await told(home, login)
    assert table == MAY[login] | OTHERS[login]
    for name, door in DOORS.items():
        done = {job for job in jobs if await runs_of(home, job, door(home, login, job))}
        assert done == table, name
    # In a pull request those are asked for as well that belong to no place, by whoever may write to it.
    writes = {"homeless"} if login in ("octocat", "contractor", "keeper") else set()
    done = {job for job in jobs if await runs_of(home, job, by_comment(home, login, job))}
    assert done == table | writes
    shown = (await bot.visibility.of(page_rights.context(login, "k"))).jobs
    assert {job for job in jobs if job in shown} == table
    assert {f"run:{job}" for job in table} == await bot.pages.rights.of(login) & {
        f"run:{job}" for job in jobs
    }


@pytest.mark.parametrize(
    ("user", "may"),
    [
        ("U0ONCALL", {"migrate", "live"}),
        ("U0NAMED", {"migrate"}),
        ("U0OTHER", set()),
        ("U0GUEST", set()),
    ],
)
async def test_member_of_slack_needs_no_account_of_github(home: House, user: str, may: set[str]) -> None:
    done = {job for job in JOBS if await runs_of(home, job, home.types(f"run {job}", user=user))}
    assert done == may
    (listed,) = await home.types("list", user=user)
    assert {job for job in JOBS if f"`{job}`" in listed or f" {job} " in listed} == may
    assert await told(home, f"slack:{user}") & {*JOBS} == may
    if may:
        last = await home.run(await count(home))
        assert last.actor == f"slack:{user}"


async def test_buttons_are_for_those_whom_the_rule_lets_in(home: House) -> None:
    await home.says("/job run migrate", author="opsie")
    await home.write(lambda s: s.execute(update(Build).values(**BUILT)))
    ended = {"state": "finished", "result": "failed", "finished_at": home.now}
    await home.write(lambda s: s.execute(update(Run).values(**ended)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    (check,) = [check for check in home.github.checks if check.name == "errand / migrate"]
    for login, may in (("octocat", False), ("opsie", True)):
        on_check = _pressed(home, check, "rerun", sender=login)
        assert await runs_of(home, "migrate", on_check) is may, login
        again = home.does(press(home, Action.RUN_AGAIN, "1", user=PERSONS[login]))
        assert await runs_of(home, "migrate", again) is may, login


VERBS: list[parser.Command] = [
    parser.Plan("migrate"),
    parser.Why("migrate"),
    parser.Rerun(1),
    parser.Rerun(1, latest=True),
    parser.Logs(1),
    parser.Status(1),
    parser.Status(name="migrate"),
    parser.Status(name="migrate", page=1),
    parser.Pause("migrate", duration=60.0),
    parser.Resume("migrate"),
    parser.Lock("migrate", duration=60.0),
    parser.Unlock("migrate"),
    parser.Cancel(1),
]


async def refused(home: House, login: str, command: parser.Command) -> str | None:
    """What somebody is told who may not; None where it was done."""
    try:
        await home.bot.pages.actions.perform(page_rights.context(login, ""), command)
    except AskerError as refusal:
        return str(refusal)
    return None


async def test_all_that_is_about_a_job_follows_its_rule(home: House) -> None:
    assert await runs_of(home, "migrate", by_page(home, "opsie", "migrate"))
    for command in VERBS:
        told = await refused(home, "octocat", command)
        assert "`migrate` is for `ops`, `slack:@oncall`; ask one of them" in str(told), command
        assert await refused(home, "opsie", command) is None, command


async def test_list_of_runs_has_those_that_somebody_may_have(home: House) -> None:
    assert await runs_of(home, "migrate", by_comment(home, "opsie", "migrate"))
    assert await runs_of(home, "open", by_comment(home, "octocat", "open"))
    (writer,) = await home.says("/job status", author="octocat")
    (opsie,) = await home.says("/job status", author="opsie")
    assert ("#2" in writer, "#1" in writer) == (True, False)
    assert ("#2" in opsie, "#1" in opsie) == (False, True)


async def test_somebody_let_in_by_one_rule_hears_of_no_other_job(home: House) -> None:
    (listed,) = await home.says("/job list", author="lead")
    assert "migrate" in listed
    assert "closed" not in listed
    (reply,) = await home.says("/job run closed", author="lead")
    assert "There is no job `closed`" in reply


async def test_who_may_nothing_is_told_whom_to_ask(home: House) -> None:
    (reply,) = await home.says("/job run migrate", author="reader")
    assert "running `migrate` is for `ops`, `slack:@oncall`; ask one of them." in reply
    (reply,) = await home.types("run migrate", user="U0OTHER")
    assert "running `migrate` is for `ops`, `slack:@oncall`; ask one of them." in reply
    (reply,) = await home.types("run migrate", user="U0GUEST")
    assert "You are a guest" in reply


async def test_job_is_asked_for_where_it_belongs(tmp_path: Path) -> None:
    changes = {"jobs": {"homed": {"command": "true", "repositories": ["acme/site"]}}}
    async with house(tmp_path, changes=changes) as home:
        (reply,) = await home.says("/job run homed")
        assert "`homed` is asked for in pull requests of `acme/site`." in reply
        assert await runs_of(home, "homed", home.says("/job run homed", repository="acme/site"))
        assert await runs_of(home, "homed", home.types("run homed"))


async def test_tokens_are_narrowed_by_name(home: House) -> None:
    held = frozenset({"run:*"})
    for name, may in (("ci", True), ("other", False), ("local", True)):
        start = home.bot.calls.start(of_token(name, held), "ruled", StartRequest())
        assert await runs_of(home, "ruled", start) is may, name


async def test_right_that_was_taken_away_is_gone_within_a_minute_and_at_once_where_it_is_asked_anew(
    home: House,
) -> None:
    bot = home.bot
    job, rule = home.tools.registry.catalog.jobs["live"], bot.authorization.rule(["github:@acme/ops"])
    subject = bot.authorization.subject(page_rights.context("opsie", "k"), job)

    async def may(*, fresh: bool) -> bool:
        context = page_rights.context("opsie", "k")
        return (await bot.authorization.decide(context, rule, subject, fresh=fresh)).allowed

    assert await may(fresh=False)
    home.github.state.organizations["acme"].teams["ops"].clear()
    assert await may(fresh=False)
    assert not await may(fresh=True)
    assert not await may(fresh=False)


async def test_nobody_is_let_in_while_github_does_not_answer(home: House) -> None:
    home.github.fail("/ops/memberships/", 500)
    context = RequestContext("k", Cause.PAGE, "github:opsie", "opsie", PagePlace())
    with pytest.raises(RetryLater):
        await home.bot.authorization.admit(context, home.tools.registry.catalog.jobs["migrate"])
    home.github.fail("/ops/memberships/", 500)
    assert "migrate" not in (await home.bot.visibility.of(context)).jobs


async def test_team_that_nobody_may_be_asked_about_lets_nobody_in_and_keeps_all_out(home: House) -> None:
    for installation in home.github.state.installations.values():
        installation.permissions.pop("members", None)
    assert not await runs_of(home, "migrate", by_page(home, "opsie", "migrate"))
    assert not await runs_of(home, "closed", by_page(home, "octocat", "closed"))


async def test_rule_of_a_job_that_was_taken_away_holds_for_its_runs(home: House) -> None:
    assert await runs_of(home, "migrate", by_page(home, "opsie", "migrate"))
    document = json.loads((home.home / "app.yaml").read_text())
    del document["jobs"]["migrate"]
    (home.home / "app.yaml").write_text(json.dumps(document))
    await home.reread()
    assert "is for `ops`" in str(await refused(home, "octocat", parser.Logs(1)))
    assert await refused(home, "opsie", parser.Logs(1)) is None


async def test_team_that_there_is_not_keeps_out_whoever_it_denies(home: House) -> None:
    del home.github.state.organizations["acme"].teams["contractors"]
    told = await refused(home, "keeper", parser.Run("closed"))
    assert "github:@acme/contractors, of which nobody can be asked" in str(told)


@pytest.mark.parametrize(
    ("login", "job", "rule"),
    [
        ("octocat", "migrate", "allow"),
        ("contractor", "closed", "deny: github:@acme/contractors"),
        ("reader", "open", "permission read"),
    ],
)
async def test_journal_says_which_rule_refused(home: House, login: str, job: str, rule: str) -> None:
    await by_slack(home, login, job)
    (entry,) = await home.store.read(
        lambda s: journal.newest(s, journal.Selection(kinds=(EntryKind.REFUSED,)), limit=5)
    )
    assert (entry.job, entry.rule, entry.person) == (job, rule, f"github:{login}")


async def test_set_that_is_changed_in_the_file_holds_at_once(home: House) -> None:
    assert await runs_of(home, "migrate", by_slack(home, "lead", "migrate"))
    document = json.loads((home.home / "app.yaml").read_text())
    document["people"]["leads"] = ["github:reader"]
    (home.home / "app.yaml").write_text(json.dumps(document))
    await home.reread()
    assert not await runs_of(home, "migrate", by_slack(home, "lead", "migrate"))
    assert await runs_of(home, "migrate", by_slack(home, "reader", "migrate"))


async def test_job_that_comes_over_the_api_names_sets_that_there_are(home: House) -> None:
    config = home.tools.registry.config
    made = job_of(b'{"command": "true", "allow": ["ops", "slack:@oncall"]}', "made", config)
    assert made.allow == ("ops", "slack:@oncall")
    with pytest.raises(Wrong) as wrong:
        job_of(b'{"command": "true", "allow": ["github:a", "op"]}', "made", config)
    assert wrong.value.mistakes == [("/allow/1", "there is no set of people called op; did you mean ops?")]
