"""How much the writer does for a run, counted: its statements cost more to prepare than SQLite to run."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.engine import Engine

from bot.posting import targets
from bot.states import State
from bot.store import Session, Store, attempts, posts, runs
from bot.store.columns import RUN, table_of
from bot.store.prepared import ForSQLite
from bot.store.statements import rows_of
from bot.tables import Run

STATEMENTS = 18
"""Of one run of a job, from the command to its card, each change with a commit of its own.

Two of them are for the journal, and one asks in which queues of its job others wait.
"""


def _run(number: int = 1) -> Run:
    return Run(
        key=f"k{number}", name="", job="true", cause="github", actor="octocat", definition={}, created_at=1.0
    )


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The statements of every connection meanwhile, savepoints as well."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    def kept(arguments: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def noted(statement: Any, parameters: Any) -> list[Any]:
            seen.append(statement.text)
            return arguments(statement, parameters)

        return noted

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ForSQLite, "arguments", kept(ForSQLite.arguments))
            yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def _live(store: Store, number: int) -> None:
    card = targets.comment(targets.PullPlace("acme/shop", 7), "run:j", now=1.0, nonce=f"n{number}")
    enqueued, _ = await store.write(
        lambda s: runs.enqueue(s, _run(number), [card], now=1.0, nonce=f"n{number}")
    )
    this = enqueued.identity
    await store.write(lambda s: runs.claim(s, owner="one", now=2.0, lease=9.0, limit=9))
    assert await store.write(lambda s: attempts.begin(s, this, owner="one"))
    assert await store.write(lambda s: runs.move(s, this, State.RUNNING, owner="one", now=3.0))
    end = {"result": "succeeded", "exit_code": 0}
    assert await store.write(lambda s: runs.move(s, this, State.FINISHED, owner="one", now=4.0, **end))  # type: ignore[arg-type]
    for post in await store.write(lambda s: posts.claim(s, owner="one", now=5.0, lease=9.0, limit=9)):
        key, said = post.identity, posts.PostedState(post.wanted, posts.Remote("1"), 6.0)
        await store.write(lambda s, key=key, said=said: posts.sent(s, key, said, owner="one"))  # type: ignore[misc]


async def test_run_takes_few_statements_and_no_savepoint(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path}/errand.db", owner="one") as store:
        await _live(store, 1)
        with _counted() as seen:
            await _live(store, 2)
    assert not [each for each in seen if "SAVEPOINT" in each]
    mine = [each for each in seen if not each.startswith("BEGIN")]
    assert len(mine) <= STATEMENTS, "\n".join(mine)


async def test_what_is_committed_together_is_wanted_of_cards_at_once(store: Store) -> None:
    cards = [
        targets.comment(targets.PullPlace("acme/shop", number), "run:j", now=1.0, nonce="n")
        for number in range(20)
    ]

    def add(session: Session) -> None:
        for number, card in enumerate(cards):
            posts.add_cards(session, [card], run=number + 1)

    await store.write(add)
    with _counted() as seen:
        await asyncio.gather(
            *(
                store.write(lambda s, run=run: posts.want(s, "run", [run], posts.Wish(1 + (run > 10))))  # type: ignore[misc]
                for run in range(1, 21)
            ),
            store.write(lambda s: posts.want(s, "run", [3])),
        )
    assert len([each for each in seen if each.startswith("UPDATE")]) == 2
    wanted = await store.write(lambda s: posts.claim(s, owner="one", now=9.0, lease=9.0, limit=99))
    assert [post.wanted for post in wanted] == [2] * 20
    assert [post.due_at for post in wanted] == [0.0] * 10 + [1.0] * 10


async def test_row_that_the_session_knows_is_brought_up_to_date(store: Store) -> None:
    await store.write(lambda s: runs.enqueue(s, _run(), [], now=1.0, nonce="n"))
    statement = update(table_of(Run)).values(reason="Because").returning(*RUN)

    def change(session: Session) -> tuple[Run, list[Run]]:
        before = session.scalars(select(Run)).one()
        return before, rows_of(session, Run, statement, {})

    before, (after,) = await store.write(change)
    assert before is after
    assert (after.reason, after.job, after.definition) == ("Because", "true", {})


async def test_work_that_fails_is_run_again_with_the_others_and_tells_only_its_caller(store: Store) -> None:
    tries = list[str]()

    def fail(session: Session) -> None:
        tries.append("bad")
        runs.enqueue(session, _run(2), [], now=1.0, nonce="n2")
        raise KeyError("mine")

    def work(session: Session) -> Run:
        tries.append("good")
        return runs.enqueue(session, _run(1), [], now=1.0, nonce="n1")[0]

    good, bad = await asyncio.gather(store.write(work), store.write(fail), return_exceptions=True)
    assert isinstance(good, Run)
    assert isinstance(bad, KeyError)
    assert tries == ["good", "bad"] * 2
    assert [run.key for run in await store.read(runs.page)] == ["k1"]
    alone = store.write(fail)
    assert isinstance((await asyncio.gather(alone, return_exceptions=True))[0], KeyError)
    assert tries == ["good", "bad"] * 2 + ["bad"]
