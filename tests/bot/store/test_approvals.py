"""What people say of a run counts once a person, until they lose the right; on both databases."""

import pytest

from bot.states import Hold
from bot.store import Session, Store, approvals, history, holds, reviews, runs
from bot.store.holds import Holding
from bot.tables import Approval, Run


@pytest.fixture
async def number(store: Store) -> int:
    """A run that waits for two yeses."""

    def ask(session: Session) -> int:
        run = Run(key="k", name="", job="migrate", cause="comment", actor="github:octocat", created_at=0.0)
        run.approval = {"count": 2, "given": [], "from": [], "on": ["github"]}
        Holding(Hold.APPROVAL, 50.0, 100.0, {"whose": "ops", "count": 2}).put(run)
        return runs.enqueue(session, run, [], now=10.0, nonce="n")[0].identity

    return await store.write(ask)


def said(run: int, login: str, bound: str = "b") -> Approval:
    name = f"github:{login}"
    row = Approval(run=run, person=name, actor=name, cause="comment", verdict="yes", at=11.0, bound=bound)
    row.rule = "allow: ops"
    return row


async def test_person_counts_once_however_often_they_say_it(store: Store, number: int) -> None:
    added = [await store.write(lambda s: approvals.add(s, said(number, "hubber"))) for _ in range(2)]
    assert added == [True, False]
    assert await store.read(lambda s: approvals.has_said(s, number, "slack:Hubber"))
    assert not await store.read(lambda s: approvals.has_said(s, number, "github:third"))
    assert len(await store.read(lambda s: list(approvals.of_run(s, number)))) == 1


async def test_who_lost_the_right_counts_no_longer_and_may_say_it_anew(store: Store, number: int) -> None:
    await store.write(lambda s: approvals.add(s, said(number, "hubber")))
    (row,) = await store.read(lambda s: list(approvals.of_run(s, number)))
    await store.write(lambda s: approvals.lose(s, frozenset({row.id or 0})))
    assert await store.read(lambda s: list(approvals.of_run(s, number))) == []
    assert await store.write(lambda s: approvals.add(s, said(number, "hubber")))
    assert len(await store.read(lambda s: list(approvals.of_run(s, number)))) == 1


async def test_run_shows_who_said_yes_and_how_many_are_missing(store: Store, number: int) -> None:
    def note(session: Session) -> Run | None:
        approvals.add(session, said(number, "hubber"))
        run = session.get_one(Run, number)
        return approvals.note(session, run, approvals.of_run(session, number), due_at=20.0)

    run = await store.write(note)
    assert run is not None
    assert (run.waiting_on or {})["count"] == 1
    assert [each["actor"] for each in (run.approval or {})["given"]] == ["github:hubber"]
    assert await store.read(holds.next_due) == 20.0


async def test_what_was_said_goes_with_the_run(store: Store, number: int) -> None:
    await store.write(lambda s: approvals.add(s, said(number, "hubber")))
    await store.write(lambda s: runs.request_stop(s, number, by="github:octocat", now=20.0))
    await store.write(lambda s: history.forget(s, [number]))
    assert await store.read(lambda s: list(approvals.of_run(s, number))) == []


async def test_runs_are_looked_at_whose_pull_request_job_or_image_is_another(store: Store) -> None:
    head, other = "c" * 40, "d" * 40

    def ask(session: Session) -> int:
        run = Run(key="p", name="", job="migrate", cause="comment", actor="github:octocat", created_at=0.0)
        run.repository, run.pull_request, run.ref, run.commit = "Acme/Shop", 7, "topic", head
        run.image, run.image_definition, run.digest = "tools", {"reference": "tools:1"}, "tools@sha256:1"
        Holding(Hold.APPROVAL, 100.0, 100.0).put(run)
        return runs.enqueue(session, run, [], now=10.0, nonce="p")[0].identity

    def looked_at(session: Session) -> list[int]:
        found = (
            reviews.of_pull(session, "acme/shop", 7, other, now=11.0),
            reviews.of_pull(session, "acme/shop", 7, None, now=11.0),
            reviews.of_branch(session, "acme/shop", "topic", other, now=11.0),
            reviews.of_job(session, "migrate", now=11.0),
            reviews.of_image(session, "tools", "tools@sha256:2", now=11.0),
        )
        nothing = (
            reviews.of_pull(session, "acme/shop", 7, head, now=12.0),
            reviews.of_pull(session, "acme/shop", 8, other, now=12.0),
            reviews.of_branch(session, "acme/other", "topic", other, now=12.0),
            reviews.of_job(session, "mig", now=12.0),
            reviews.of_image(session, "tools", "tools@sha256:1", now=12.0),
        )
        assert sum(nothing) == 0
        return list(found)

    number = await store.write(ask)
    assert await store.write(looked_at) == [1] * 5
    assert [run.number for run in await store.read(lambda s: list(holds.due(s, now=11.0)))] == [number]
