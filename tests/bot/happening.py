"""What happens on GitHub, and what becomes of it, in a house."""

import json
from functools import partial
from typing import Any

from sqlalchemy import select

from bot.states import State
from bot.store import Session, builds, posts, runs
from bot.tables import Build, Post, Run
from demo import happenings
from demo.github.state import Deployment
from tests.bot.house import HEAD, SHOP, House


async def happens(home: House, event: str, payload: Any) -> str:
    """GitHub tells something; gives the note of what became of it."""
    delivery = await home.deliver(event, json.dumps(payload).encode())
    await home.bot.deliveries.handle(delivery)
    settled = await home.delivery(delivery)
    return f"{settled.state}: {settled.note}"


def of(home: House, name: str = SHOP) -> dict[str, Any]:
    known = home.github.state.repository(name)
    assert known is not None
    return {"private": known.private, "number": known.id}


def deployed(home: House, environment: str = "production", **how: Any) -> tuple[Deployment, Any]:
    """A deployment on GitHub and the payload that tells of it."""
    name, sha = how.pop("name", SHOP), how.pop("sha", HEAD)
    made = home.github.add_deployment(name, sha, environment)
    return made, happenings.deployment(name, made.id, sha, environment, **{**of(home, name), **how})


async def all_runs(home: House) -> list[Run]:
    return await home.store.read(lambda s: list(s.scalars(select(Run).order_by(Run.__table__.c.number))))  # type: ignore[attr-defined]


async def move(home: House, number: int, to: State, **facts: Any) -> None:
    """Move the run to where its worker would."""

    def work(session: Session) -> None:
        row = session.get_one(Run, number)
        row.lease_owner = "one"
        session.flush()
        assert runs.move(session, number, to, owner="one", now=home.now, **facts) is not None

    await home.write(work)


async def built(home: House) -> None:
    def work(session: Session) -> None:
        for build in session.scalars(select(Build)):
            if build.state != State.FINISHED:
                build.lease_owner = "one"
                session.flush()
                for to, facts in (
                    (State.BUILDING, {}),
                    (State.FINISHED, {"result": "succeeded", "digest": "d"}),
                ):
                    builds.move(session, build.identity, to, owner="one", now=home.now, **facts)  # type: ignore[arg-type]

    await home.write(work)


async def tell(home: House, kind: str = "github_deployment") -> None:
    """Send what waits to be told of a kind."""

    def take(session: Session) -> list[Post]:
        return posts.claim(session, owner="one", now=home.now + 60, lease=60.0, limit=100)

    for post in await home.write(take):
        if post.kind == kind:
            await home.bot.outbox.send(post)
        else:
            await home.write(partial(posts.fail, id=post.identity, owner="one", error="not looked at"))
