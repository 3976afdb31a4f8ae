"""Pruning: as `keep` and `expire` of each job say, logs included, some at a time."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.config import job_of
from bot.registry import Registry
from bot.states import EntryKind, State
from bot.store import Session, journal, runs, ticks
from bot.store.journal import Selection
from bot.tables import Build, Delivery, JournalEntry, Post, Run, Tick
from bot.workers import pruning, retention
from bot.workers.pruning import Pruning
from bot.workers.retention import AGAIN
from executor.errors import EngineUnavailable
from executor.logs.logfile import END, LogWriter
from tests.bot.house import House, house
from tests.bot.store.test_history import DAY, add


def always(version: int | None) -> bool:
    return True


async def define(home: House, content: bytes) -> Registry:
    registry = home.tools.registry
    await registry.put(job_of(content, "small", registry.config), actor="token:boss", expected=always)
    return registry


async def left(home: House, job: str) -> list[int]:
    found = await home.store.read(lambda s: runs.page(s, job=job, limit=1000))
    return sorted(run.identity for run in found)


async def test_each_job_keeps_as_many_as_it_says_and_logs_go_along(home: House) -> None:
    await define(home, b'{"command": "true", "keep": 2}')
    await home.write(lambda s: add(s, "sss", job="small"))
    await home.write(lambda s: add(s, "s" * 22, job="gone"))
    first = (await home.run(1)).name
    writer = LogWriter(home.tools.logs.path(first), 1 << 20)
    writer.write(b"hello\n")
    writer.finish()
    await home.bot.retention.look(home.now)
    assert await left(home, "small") == [2, 3]
    assert len(await left(home, "gone")) == 20
    assert await home.tools.logs.size(first) is None


async def test_round_is_bounded_and_says_that_more_is_left(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROUND", 1)
    await home.write(lambda s: add(s, "s" * 21, job="one"))
    await home.write(lambda s: add(s, "s" * 21, job="two"))
    clock = home.bot.retention
    await clock.look(home.now)
    assert clock.next_look == home.now
    assert (len(await left(home, "one")), len(await left(home, "two"))) == (20, 21)


async def test_what_is_older_than_expire_goes(home: House) -> None:
    await define(home, b'{"command": "true", "expire": "2d"}')
    await home.write(lambda s: add(s, "f", job="small", ended=home.now - 3 * DAY))
    await home.write(lambda s: add(s, "f", job="small", ended=home.now - DAY))
    await home.bot.retention.look(home.now)
    assert await left(home, "small") == [2]


async def test_history_of_a_deleted_job_goes_and_of_one_that_the_file_lost_stays(home: House) -> None:
    registry = await define(home, b'{"command": "true"}')
    await home.write(lambda s: add(s, "fs", job="small"))
    await home.write(lambda s: add(s, "fs", job="plain"))
    await registry.remove("small", actor="token:boss", expected=always)
    jobs = {name: job for name, job in registry.config.jobs.items() if name != "plain"}
    await registry.apply(registry.config.model_copy(update={"jobs": jobs}))
    await home.bot.retention.look(home.now)
    assert (await left(home, "small"), await left(home, "plain")) == ([], [3, 4])


async def test_build_that_nothing_needs_goes_with_its_log_as_the_oldest_logs_do(home: House) -> None:
    ended = home.now + 0.5

    def add_build(session: Session) -> None:
        for number, image in ((1, "shop"), (2, "shop"), (3, "of-before")):
            build = Build(
                key=f"{number}", name=f"build-{number}", image=image, repository="acme/shop", commit="c",
                cause="push", actor="a", created_at=0.0,
            )  # fmt: skip
            build.state, build.result, build.finished_at = State.FINISHED, "failed", ended
            session.add(build)

    await home.write(add_build)
    writer = LogWriter(home.tools.logs.path("build-1"), 1 << 20)
    writer.finish()
    os.utime(f"{home.tools.logs.path('build-1')}/{END}", (ended, ended))
    later = home.now + home.tools.registry.config.logs.keep
    await home.bot.retention.look(later)
    assert await home.tools.logs.size("build-1") is not None
    await home.bot.retention.look(later + 1)
    assert await home.store.read(lambda s: [s.get(Build, n) is not None for n in (1, 2, 3)]) == [
        False,
        True,
        False,
    ]
    assert await home.tools.logs.size("build-1") is None


async def test_job_that_was_deleted_leaves_no_pause_to_a_later_one(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "ROUND", 1)
    registry = await define(home, b'{"command": "true"}')
    await home.write(lambda s: add(s, "s" * 300, job="small"))
    await home.write(lambda s: ticks.change(s, "small", paused=True))
    await home.write(lambda s: ticks.record(s, [Tick(job="small", at=1.0, outcome="run", decided_at=1.0)]))
    await registry.remove("small", actor="token:boss", expected=always)
    await home.bot.pruning.purge("small")
    assert len(await left(home, "small")) > 0
    assert await home.store.read(lambda s: (ticks.states(s, ["small"]), ticks.newest(s, "small"))) == ({}, [])


async def test_deliveries_that_were_ignored_go_before_the_others(home: House) -> None:
    handled, ignored = await home.comment("/job list"), await home.comment("nothing")
    waiting = await home.deliver("issue_comment", handled.body)
    for delivery in (handled, ignored):
        await home.bot.deliveries.handle(delivery)

    async def kept(later: float) -> list[str]:
        await home.bot.retention.look(home.now + later)
        return await home.store.read(lambda s: [row.key for row in s.scalars(select(Delivery))])

    assert ignored.key in await kept(DAY - 60)
    assert sorted(await kept(DAY + 60)) == sorted([handled.key, waiting.key])
    assert await kept(7 * DAY + 60) == [waiting.key]


async def test_how_long_ignored_deliveries_are_kept_is_a_setting(home: House) -> None:
    settings = home.tools.registry.config.deliveries.model_copy(update={"keep_ignored": 60.0})
    brief = home.without(config=home.tools.registry.config.model_copy(update={"deliveries": settings}))
    await home.bot.deliveries.handle(await home.comment("nothing"))
    await brief.bot.retention.look(home.now + 61)
    assert await home.store.read(lambda s: list(s.scalars(select(Delivery)))) == []


async def test_only_jobs_that_something_happened_to_are_looked_at(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = Pruning.job

    async def job(self: Pruning, name: str, now: float, limit: int) -> int:
        looked.append(name)
        return await real(self, name, now, limit)

    monkeypatch.setattr(Pruning, "job", job)
    clock = home.bot.retention
    for name in ("plain", "words", "gone"):
        await home.write(lambda s, name=name: add(s, "sss", job=name))  # type: ignore[misc]
    await clock.look(home.now)
    assert {"plain", "words", "gone"} <= set(looked)
    looked.clear()
    await clock.look(home.now + 1)
    assert looked == []
    home.store.changes.publish(await home.run(1))
    await clock.look(home.now + 2)
    assert looked == ["plain"]
    looked.clear()
    await define(home, b'{"command": "true", "keep": 2}')
    await clock.look(home.now + 3)
    assert looked == ["small"]


async def test_next_look_is_when_the_oldest_run_expires(home: House) -> None:
    await define(home, b'{"command": "true", "expire": "1m"}')
    await home.write(lambda s: add(s, "ss", job="small", ended=home.now - 10))
    await home.write(lambda s: add(s, "s", job="small", ended=home.now))
    clock = home.bot.retention
    await clock.look(home.now)
    assert clock.next_look == home.now + 50
    await clock.look(home.now + 51)
    assert await left(home, "small") == [3]
    assert clock.next_look == home.now + 51 + AGAIN


async def test_run_whose_end_is_still_to_be_told_goes_soon_after_it_is(home: House) -> None:
    await define(home, b'{"command": "true", "keep": 1}')

    def fill(session: Session) -> None:
        add(session, "ss", job="small")
        session.add(Post(key="1", kind="slack_message", run_number=1, nonce="", created_at=0.0))

    await home.write(fill)
    clock = home.bot.retention
    await clock.look(home.now)
    assert (await left(home, "small"), clock.next_look) == ([1, 2], home.now + AGAIN)
    await home.write(lambda s: s.get_one(Post, 1).sqlmodel_update({"sent": 1}) and None)
    await clock.look(home.now + AGAIN)
    assert await left(home, "small") == [2]


async def test_log_goes_when_its_time_is_over(home: House) -> None:
    await home.tools.logs.finish("one")
    clock = home.bot.retention
    keep, ended = home.tools.registry.config.logs.keep, os.stat(home.tools.logs.path("one") + "/end").st_mtime
    await clock.look(ended + keep - 60)
    assert clock.next_look == ended + keep
    await clock.look(ended + keep + 1)
    assert await home.tools.logs.size("one") is None


async def test_what_the_engine_could_not_forget_is_asked_for_again_soon(home: House) -> None:
    made = home.bot
    await home.says("/job run plain")
    home.engine.faults["remove"] = [EngineUnavailable("away"), EngineUnavailable("away")]
    await made.runner.carry(await home.claim(Run))
    clock, name = made.retention, (await home.run(1)).name
    for moment, times in ((0.0, 2), (1.0, 2), (AGAIN, 3), (2 * AGAIN, 3)):
        await clock.look(home.now + moment)
        assert home.engine.called("remove") == [name] * times
        assert (clock.next_look <= home.now + moment + AGAIN) == (times < 3)


async def test_journal_is_kept_as_long_as_the_file_says(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"audit": {"keep": "60d"}}) as home:
        rows = [
            JournalEntry(at=home.now - days * DAY, kind=EntryKind.LOCKED, actor="github:a", subject=str(days))
            for days in (90, 61, 59, 1)
        ]
        await home.write(lambda s: journal.record(s, rows))
        await home.bot.retention.look(home.now)
        left = await home.store.read(lambda s: journal.newest(s, Selection(actor="github:a"), limit=9))
    assert [row.subject for row in left] == ["1", "59"]
