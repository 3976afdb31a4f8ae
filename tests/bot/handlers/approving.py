"""A house whose job needs somebody's yes, and what its people do there."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.access import callers
from bot.errors import AskerError
from bot.handlers.authorization import RequestContext
from bot.handlers.places import GitHubPlace, HttpPlace
from bot.handlers.start import StartRequest
from bot.states import Cause, Hold
from bot.store import approvals, holds, journal
from bot.tables import Approval, Run
from demo import payloads
from tests.bot.house import SHOP, House, house

JOB = """
migrate:
  image: shop
  command: "true"
  parameters: {DRY_RUN: {type: boolean, default: true}}
  approval: %s
"""
MAINTAINERS = ("octocat", "hubber", "third")


@asynccontextmanager
async def approving(
    home: Path, approval: str = "{}", *, changes: Mapping[str, Any] | None = None, job: str = JOB
) -> AsyncIterator[House]:
    """A house with the job `migrate`, and people who may write."""
    async with house(home, jobs=job % approval, changes=changes) as made:
        for name in MAINTAINERS:
            made.github.add_person(SHOP, name, "write")
        yield made


def on_github(login: str, *, cause: Cause = Cause.COMMENT, key: str = "", pull: Any = None) -> RequestContext:
    """A request of somebody on GitHub."""
    place = GitHubPlace("Acme/Shop", 7 if pull is not None else None, pull)
    return RequestContext(key or f"{cause}:{login}", cause, f"github:{login}", login, place)


def with_token(name: str, *scopes: str) -> RequestContext:
    """A request of the holder of a token."""
    caller = callers.of_token(name, frozenset(scopes or ("admin",)))
    return RequestContext(f"api:{name}", Cause.API, caller.name, None, HttpPlace(caller))


async def ask(home: House, who: RequestContext | None = None, index: int = 0, **request: Any) -> int:
    """Somebody starts the job; gives the run's number."""
    context = who or on_github("octocat")
    order = await home.bot.actions.starts.order(context, "migrate", StartRequest(**request), index)
    return int(await home.write(lambda s: home.bot.enqueuer.enqueue(s, order).identity))


async def approve(home: House, number: int, who: RequestContext) -> str:
    """Somebody says yes; gives the answer."""
    try:
        saying = await home.bot.actions.approvals.approve(who, number)
        return str(await home.write(lambda s: saying(s).text))
    except AskerError as error:
        return f"no: {error}"


async def deny(home: House, number: int, who: RequestContext, why: str | None = None) -> str:
    """Somebody says no; gives the answer."""
    try:
        saying = await home.bot.actions.approvals.deny(who, number, why)
        return str(await home.write(lambda s: saying(s).text))
    except AskerError as error:
        return f"no: {error}"


async def look(home: House) -> None:
    """Held runs that are due are looked at, until none is."""
    for _ in range(10):
        rows = await home.store.read(lambda s: list(holds.due(s, now=home.now)))
        if not rows:
            return
        for row in rows:
            await home.bot.approvals.holds.look(row)
    raise AssertionError("looked at again and again")


async def said(home: House, number: int) -> list[Approval]:
    """What counts of what was said of a run."""
    return list(await home.store.read(lambda s: approvals.of_run(s, number)))


async def kinds(home: House) -> list[str]:
    """What the journal tells of approvals and releases, oldest first."""
    rows = reversed(await home.store.read(lambda s: list(journal.newest(s, limit=50))))
    return [row.kind for row in rows if row.kind.startswith(("approval.", "run.released"))]


def is_held(run: Run) -> bool:
    """Whether it waits for a yes."""
    return run.hold == Hold.APPROVAL and not run.admitted


async def tell_of_pull(home: House, head: str, action: str) -> None:
    """GitHub tells what became of the pull request."""
    payload = payloads.pull_request(SHOP, 7, head, "topic", action=action, private=True)
    known = home.github.state.repository(SHOP)
    payload["repository"]["id"] = known and known.id
    await home.bot.deliveries.handle(await home.deliver("pull_request", json.dumps(payload).encode()))


async def redefine(home: House) -> None:
    """The command of the job is another one from now on."""
    file = home.home / "app.yaml"
    before, after = ('"command": "' + each + '", "parameters"' for each in ("true", "false"))
    file.write_text(file.read_text().replace(before, after))
    await home.reread()
