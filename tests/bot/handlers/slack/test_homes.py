"""Home shows to each person what they may run, and its buttons do what commands do."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.engine import Engine
from structlog.testing import capture_logs

from bot.handlers.slack.homes import FRESH
from bot.handlers.visibility import Sight
from bot.messages.slack.actions import Action
from bot.states import Cause
from bot.store import freezes
from bot.tables import Run
from demo.slack import View
from tests.bot.handlers.approving import approve, approving, ask, look, on_github
from tests.bot.handlers.slack.hands import OCTOCAT, let_in, text_of
from tests.bot.house import SHOP, SITE, House, house

PEOPLE = {"slack": {"people": {"U0OCTOCAT": "octocat", "U0READER": "reader"}}}
SCHEDULED = {"schedule": {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}}
MANY = {f"job-{number:02}": {"image": "shop", "command": "true"} for number in range(25)}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    admins = {"pages": {"admins": ["github:octocat"]}}
    changes: dict[str, Any] = {**PEOPLE, **admins, "jobs": {"check": SCHEDULED}}
    async with house(tmp_path, changes=changes) as made:
        let_in(made)
        yield made


async def opened(home: House, user: str = OCTOCAT) -> View:
    home.now += FRESH
    await home.slack.open_home(user=user)
    return home.slack.homes[user]


async def ended(home: House, number: int, result: str) -> None:
    values = {"state": "finished", "result": result, "finished_at": home.now, "started_at": home.now - 5}
    await home.write(lambda s: s.execute(update(Run).where(Run.number == number).values(**values)))  # type: ignore[arg-type]


async def test_home_shows_runs_schedules_and_jobs_with_their_buttons(home: House) -> None:
    await home.types("run check")
    await home.types("run publish")
    await ended(home, 2, "failed")
    await home.types('lock publish "no deploys"')
    shown = text_of((await opened(home)).blocks)
    for words in ("*check* <", "is waiting", "Failed, and not mended since", "*publish* <", "no deploys"):
        assert words in shown
    for words in ("30 2 * * * Europe/Berlin", "<!date^", "Skip the next", "asked by `octocat`"):
        assert words in shown
    for action in (
        Action.RUN_CANCEL,
        Action.RUN_AGAIN,
        Action.JOB_RUN,
        Action.JOB_PAUSE,
        Action.HOME_REFRESH,
    ):
        assert f'"{action}"' in shown
    for name in ("check", "deploy", "publish"):
        assert f'"value": "{name}"' in shown
    assert '"value": "plain"' not in shown  # which is of no repository, so nobody in Slack may run it


async def test_home_of_who_may_nothing_shows_nothing_and_says_whom_to_ask(home: House) -> None:
    await home.types("run check")
    reader = text_of((await opened(home, "U0READER")).blocks)
    assert "ask whoever owns yours" in reader
    assert "check" not in reader
    unknown = text_of((await opened(home, "U0NOBODY")).blocks)
    assert "slack.people" in unknown
    assert "check" not in unknown


async def test_home_shows_nothing_of_a_repository_where_somebody_may_only_read(home: House) -> None:
    await home.types("run publish")
    await home.types("run check")
    home.github.add_person(SITE, "octocat", "read")
    shown = text_of((await opened(home)).blocks)
    assert "check" in shown
    assert "publish" not in shown


async def test_github_is_asked_once_a_minute_for_each_repository(
    home: House,
) -> None:
    def questions() -> int:
        return sum(each.path.endswith("/permission") for each in home.github.requests)

    before = questions()
    await opened(home)
    assert questions() - before == 2
    await opened(home)
    assert questions() - before == 2
    home.now += 61
    await opened(home)
    assert questions() - before == 4


async def test_github_that_does_not_answer_leaves_jobs_out_and_says_so(home: House) -> None:
    home.github.fail("/permission$", 502, times=2)
    assert "GitHub does not say now" in text_of((await opened(home)).blocks)
    assert "GitHub does not say now" not in text_of((await opened(home)).blocks)


async def test_cancel_on_home_stops_the_run_and_home_is_shown_anew(home: House) -> None:
    await home.types("run check")
    view = await opened(home)
    await home.slack.press(view, Action.RUN_CANCEL)
    run = await home.run(1)
    assert (run.result, run.stop_by) == ("cancelled", "slack:octocat")
    assert "Nothing runs now" in text_of(view.blocks)
    assert home.slack.views == []


async def test_button_of_somebody_whose_right_is_gone_does_nothing_and_a_window_says_why(home: House) -> None:
    await home.types("run check")
    view = await opened(home)
    home.github.add_person("acme/shop", "octocat", "read")
    await home.slack.press(view, Action.RUN_CANCEL)
    assert (await home.run(1)).result is None
    (window,) = home.slack.views
    assert "write access" in text_of(window.blocks)


async def test_schedule_is_paused_and_goes_on_by_the_buttons(home: House) -> None:
    view = await opened(home)
    await home.slack.press(view, Action.JOB_PAUSE)
    assert "paused by" in text_of(view.blocks)
    await home.slack.press(view, Action.JOB_RESUME)
    assert "paused by" not in text_of(view.blocks)
    await home.slack.press(view, Action.JOB_SKIP)
    assert "leaves out <!date^" in text_of(view.blocks)


async def test_failure_that_is_mended_is_not_shown(home: House) -> None:
    await home.types("run check")
    await ended(home, 1, "timed_out")
    assert "Failed, and not" in text_of((await opened(home)).blocks)
    await home.types("run check")
    await ended(home, 2, "succeeded")
    assert "Failed, and not" not in text_of((await opened(home)).blocks)


async def test_page_of_jobs_stays_when_a_button_was_pressed(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"jobs": MANY}) as home:
        let_in(home)
        view = await opened(home)
        assert "Page 1 of 3, 28 jobs" in text_of(view.blocks)
        await home.slack.press(view, Action.LIST_PAGE)
        assert "Page 2 of 3" in text_of(view.blocks)
        await home.types("run check")
        await home.slack.press(view, Action.HOME_REFRESH)
        assert "Page 2 of 3" in text_of(view.blocks)
        await home.slack.press(view, Action.RUN_CANCEL)
        assert "Page 2 of 3" in text_of(view.blocks)
        await home.slack.press(view, Action.LIST_BACK)
        assert "Page 1 of 3" in text_of(view.blocks)


async def test_home_that_is_turned_off_is_told_to_the_operator_once(home: House) -> None:
    home.slack.surfaces.home_enabled = False
    with capture_logs() as lines:
        for _ in range(2):
            home.now += FRESH
            await home.slack.open_home(user=OCTOCAT)
    assert [line["error"] for line in lines if line["event"] == "slack.fault"] == ["not_enabled"]


async def test_home_that_is_opened_again_and_again_is_made_once_a_second(home: House) -> None:
    for user in (OCTOCAT, "U0NOBODY"):
        view = await opened(home, user)
        await home.slack.open_home(user=user)
        assert len(view.history) == 1
        await opened(home, user)
        assert len(view.history) == 2


async def test_messages_beside_home_are_not_home(home: House) -> None:
    await home.slack.open_home(user=OCTOCAT, tab="messages")
    assert home.slack.homes == {}


async def test_home_is_read_in_as_few_statements_however_many_jobs_and_runs_there_are(home: House) -> None:
    bot = let_in(home)
    assert bot.slack is not None
    await home.types("run check")
    run, jobs = await home.run(1), home.tools.registry.catalog.jobs
    names, mine = [f"job-{number}" for number in range(50)], frozenset({"Acme/Shop"})
    with counted() as few:
        await bot.slack.overviews.overview(Sight(jobs, mine), 1)
    copies = [run.model_dump(exclude={"number"}) | {"job": n, "key": n, "name": n} for n in names]
    await home.write(lambda s: s.add_all([Run(**each) for each in copies]))
    with counted() as statements:
        found = await bot.slack.overviews.overview(Sight(dict.fromkeys(names, jobs["check"]), mine), 1)
    assert (len(found.jobs.lines), found.more_waiting) == (10, 41)
    assert len(statements) == len(few) <= 7


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of every connection meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_home_says_what_is_frozen_for_its_reader(home: House) -> None:
    await home.types('freeze "year end" for 2h')
    await home.types("freeze --job publish")
    shown = text_of((await opened(home)).blocks)
    for words in ("Frozen", "everything", "year end", "until <!date^", "job publish"):
        assert words in shown
    await home.types("thaw")
    assert "year end" not in text_of((await opened(home)).blocks)


async def test_freeze_is_thawed_by_its_button_which_asks_once_more(home: House) -> None:
    await home.types("freeze --environment 'eu west' --lock prod")
    view = await opened(home)
    assert "Thaw lock prod, environment eu west?" in text_of(view.blocks)
    await home.slack.press(view, Action.FREEZE_THAW)
    assert await home.store.read(lambda s: freezes.going(s, now=home.now)) == []
    assert "Frozen" not in text_of(view.blocks)
    assert home.slack.views == []


async def test_thaw_is_offered_to_who_began_the_freeze_and_to_whom_override_names(tmp_path: Path) -> None:
    people = {"slack": {"people": {OCTOCAT: "octocat", "U0ADA": "ada"}}}
    week = {"every": "MON 00:00 to SUN 23:59"}
    changes = {**people, "override": ["github:octocat"], "freeze": [week]}
    async with house(tmp_path, changes=changes) as home:
        let_in(home)
        for repository in (SHOP, SITE):
            home.github.add_person(repository, "ada", "write")
        await home.types("freeze --job check")
        assert Action.FREEZE_THAW not in text_of((await opened(home, "U0ADA")).blocks)
        await home.types("freeze --job publish", user="U0ADA")
        hers = await opened(home, "U0ADA")
        assert text_of(hers.blocks).count(f'"{Action.FREEZE_THAW}"') == 1
        shown = text_of((await opened(home)).blocks)
        assert shown.count(f'"{Action.FREEZE_THAW}"') == 2  # nobody thaws what the file says
        await home.types("freeze --job publish")  # in the place of hers
        await home.slack.press(hers, Action.FREEZE_THAW)
        (window,) = home.slack.views
        assert "began this freeze" in text_of(window.blocks)
        for line in ("thaw --job check", "thaw --job publish", "freeze"):  # of everything
            await home.types(line)
        for user, count in (("U0ADA", 0), (OCTOCAT, 1)):
            assert text_of((await opened(home, user)).blocks).count(f'"{Action.FREEZE_THAW}"') == count


async def test_home_lists_what_waits_for_their_yes_with_buttons_that_ask_once_more(tmp_path: Path) -> None:
    async with approving(tmp_path, changes=PEOPLE) as home:
        let_in(home)
        theirs = await ask(home, on_github("hubber"))
        await ask(home, on_github("octocat"), 1)
        await look(home)
        blocks = (await opened(home)).blocks
        start = text_of(blocks).index("Waits for your yes")
        shown = text_of(blocks)[start : text_of(blocks).index("Running")]
        assert f'"value": "{theirs}"' in shown
        assert shown.count(Action.RUN_APPROVE) == 1  # not of what they asked for themselves
        assert all(f"{verb} #{theirs}?" in shown for verb in ("Approve", "Deny"))
        await approve(home, theirs, on_github("octocat", cause=Cause.SLACK))
        assert "Waits for your yes" not in text_of((await opened(home)).blocks)
        assert "Waits for your yes" not in text_of((await opened(home, "U0READER")).blocks)
