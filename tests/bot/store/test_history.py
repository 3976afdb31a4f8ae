"""What is kept of runs: failures are never pushed out by successes, and what goes on never goes."""

import pytest

from bot.states import State
from bot.store import Session, Store, history, posts
from bot.tables import Attempt, Post, Run

DAY = 86400.0


def add(session: Session, results: str, *, job: str = "migrate", ended: float = 0.0) -> None:
    """One run for each letter: Succeeded, Failed, Cancelled, or `.` for one that goes on."""
    for letter in results:
        result = {"s": "succeeded", "f": "failed", "c": "cancelled", ".": None}[letter]
        key = f"{job}{ended}{len(session.new)}"
        run = Run(key=key, name=key, job=job, cause="comment", actor="github:octocat", created_at=0.0)
        run.result, run.state = result, State.FINISHED if result else State.RUNNING
        run.finished_at = ended if result else None
        session.add(run)
    session.flush()


@pytest.mark.parametrize(
    ("results", "gone"),
    [
        ("sss", []),
        ("ssss", [1]),
        ("fssss", [2]),  # the failure is older and stays
        ("ffffsss", [1]),  # of those that did not succeed the newest three stay
        ("fcfsfsss", [1, 4]),
        (".ssss", [2]),
        ("s.f.sss", [1]),
        ("", []),
    ],
)
async def test_the_newest_stay_and_as_many_that_did_not_succeed(
    store: Store, results: str, gone: list[int]
) -> None:
    await store.write(lambda s: add(s, results))
    await store.write(lambda s: add(s, "ssss", job="other"))
    assert await store.read(lambda s: history.superfluous(s, "migrate", keep=3, before=None)) == gone


async def test_nothing_older_than_expire_stays_but_what_goes_on(store: Store) -> None:
    await store.write(lambda s: add(s, "fs."))
    await store.write(lambda s: add(s, "fs", ended=DAY))
    assert await store.read(lambda s: history.superfluous(s, "migrate", keep=9, before=DAY)) == [1, 2]


async def test_attempts_and_posts_go_with_their_run_and_an_active_one_stays(store: Store) -> None:
    def fill(session: Session) -> None:
        add(session, "f.")
        for number in (1, 2):
            session.add(
                Attempt(run_number=number, attempt=1, name=f"{number}", result="failed", finished_at=0.0)
            )
            session.add(
                Post(key=f"{number}", kind="slack_message", run_number=number, nonce="", created_at=0.0)
            )
        run = session.get(Run, 1)
        assert run is not None
        run.attempt = 2

    await store.write(fill)
    name = await store.read(lambda s: s.get_one(Run, 1).name)
    assert await store.write(lambda s: history.forget(s, [1, 2])) == [name, f"{name}.2"]
    assert await store.read(lambda s: s.get(Run, 1)) is None
    assert await store.read(lambda s: (s.get(Attempt, 1), s.get(Post, 1))) == (None, None)
    assert await store.read(lambda s: s.get_one(Attempt, 2).run_number) == 2
    assert await store.write(lambda s: history.is_active(s, "migrate"))


async def test_jobs_that_have_runs_are_found(store: Store) -> None:
    for job in ("b", "a", "c"):
        await store.write(lambda s, job=job: add(s, "ss", job=job))  # type: ignore[misc]
    assert await store.read(lambda s: list(history.jobs(s))) == ["a", "b", "c"]


async def test_run_whose_end_is_still_to_be_told_stays_until_it_is(store: Store) -> None:
    def fill(session: Session) -> None:
        add(session, "sss")
        for number, sent in ((1, 0), (2, 1)):
            post = Post(key=f"{number}", kind="github_check", run_number=number, nonce="", created_at=0.0)
            post.sent, post.lease_owner = sent, "one"
            session.add(post)

    await store.write(fill)
    assert await store.read(lambda s: history.superfluous(s, "migrate", keep=1, before=None)) == [2]
    await store.write(lambda s: posts.fail(s, 1, owner="one", error="gone"))
    assert await store.read(lambda s: history.superfluous(s, "migrate", keep=1, before=None)) == [1, 2]
