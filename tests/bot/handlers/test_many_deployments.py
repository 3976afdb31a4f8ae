"""A thousand deployments in a row: GitHub hears of each how it ended, though it does not always listen."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.errors import RetryLater
from bot.github import GitHub
from bot.posting import targets
from bot.store import Session, posts
from bot.store.columns import POST
from bot.tables import OccurrenceSeen, Post, Run
from tests.bot.happening import deployed, happens
from tests.bot.house import SHOP, House, house

MANY = 1000


def _seed(session: Session, first: Run, now: float) -> None:
    """As many more as the first, each with its run and what is to be told of it."""
    common = first.model_dump(exclude={"number", "key", "name", "occurrence"})
    for number in range(1, MANY):
        seen = OccurrenceSeen(
            id=number + 1,
            repository="1",
            key=f"deployment:{number}",
            event="deployment",
            subject=f"deployment to preview-{number}",
            environment=f"preview-{number}",
            deployment=number,
            decisions={first.job: {}},
            delivery_id=1,
            received_at=now,
        )
        run = Run(
            **common, number=number + 1, key=f"many:{number}", name=f"many-{number}", occurrence=number + 1
        )
        card = targets.deployment(seen, SHOP, now=now, nonce=str(number))
        card.key, card.run_number, card.wanted = f"many:{number}", run.number, 1
        session.add_all([seen, run, card])


def _become(session: Session, **values: object) -> None:
    """All runs become this, and all posts have it to say."""
    session.execute(update(Run).values(**values))
    session.execute(update(Post).values(wanted=POST.wanted + 1, due_at=0.0))


async def _tell_all(home: House) -> None:
    """Until there is nothing left to say, whenever that is due."""
    for _ in range(100):
        claimed = await home.write(
            lambda s: posts.claim(s, owner="one", now=home.now + 1e6, lease=60.0, limit=200)
        )
        if not claimed:
            return
        await asyncio.gather(*map(home.bot.outbox.send, claimed))
    raise AssertionError("there was always more to say")


async def test_a_thousand_deployments_are_all_told_how_they_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[int, list[str]] = {}
    tries = Counter[int]()

    async def tell(_: GitHub, repository: str, deployment: int, fields: Mapping[str, Any]) -> None:
        tries[deployment] += 1
        if deployment % 7 == 0 and tries[deployment] == 1:
            raise RetryLater("GitHub is busy", delay=1.0)
        await asyncio.sleep(0)
        told.setdefault(deployment, []).append(fields["state"])

    monkeypatch.setattr(GitHub, "set_deployment_status", tell)
    job = {"on": [{"deployment": "**"}], "notify": {"github": False}}
    async with house(tmp_path, changes={"jobs": {"check": job}}) as home:
        made, payload = deployed(home)
        await happens(home, "deployment", payload)
        first = await home.run(1)
        await home.write(lambda s: _seed(s, first, home.now))
        await home.write(lambda s: _become(s, state="finished", result="succeeded"))
        await _tell_all(home)
    assert set(told) == {made.id, *range(1, MANY)}
    assert Counter(map(tuple, told.values())) == {("success",): MANY}
