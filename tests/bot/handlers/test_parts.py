"""Each class gets what it needs and no more, so it can be tried with just that."""

import inspect
from pathlib import Path

import pytest

from bot.access.callers import of_token
from bot.commands import parser
from bot.composition import Composition
from bot.config import load
from bot.handlers.authorization import Authorization
from bot.handlers.facts import FactFinder
from bot.handlers.pauses import PauseHandler
from bot.parts import Parts
from bot.registry import Registry
from bot.repositories import CodeHost, Repositories
from bot.store import Store, ticks

NOW = 1_800_014_400.0
MOST = 5
"""Things that a class is given; a sixth would be one that it knows too much by."""


async def test_schedule_is_paused_by_what_knows_neither_an_engine_nor_a_server(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text('jobs: {hourly: {command: "true", schedule: {cron: "0 * * * *"}}}\n')
    async with await Store.open(f"sqlite:///{tmp_path}/errand.db", owner="one") as store:
        registry = await Registry.open(load(file, {}), store, lambda: NOW)
        host = CodeHost(None, Repositories(store, registry, lambda: NOW))
        facts = FactFinder(host, None, lambda: NOW)
        authorization = Authorization(registry, facts, lambda: "n")
        pauses = PauseHandler(authorization, lambda: NOW)
        asked = authorization.of_caller(of_token("boss", frozenset({"run:hourly"})))
        await store.write(await pauses.pause(asked, parser.Pause("hourly", None, 60.0)))
        state = (await store.read(lambda s: ticks.states(s, ["hourly"])))["hourly"]
        assert (state.paused, state.paused_until) == (True, NOW + 60)


@pytest.mark.parametrize("name", [name for name in vars(Composition) if not name.startswith("_")])
def test_class_is_given_a_few_things_and_never_all_parts(name: str) -> None:
    made = inspect.signature(vars(Composition)[name].func).return_annotation
    if not inspect.isclass(made) or made.__name__ == "Actions":  # which is the list of the actions
        return
    given = list(inspect.signature(made).parameters.values())
    assert len(given) <= MOST
    assert all(each.annotation is not Parts for each in given)
