"""Where a freeze holds a job, its form asks those who may override it why; nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.handlers.slack.form_house import USER, filled, replies, started, view_of
from tests.bot.handlers.slack.hands import let_in
from tests.bot.house import House, house

JOBS = """
  migrate: {image: shop, command: "true", parameters: {COUNT: {required: true}}}
"""
PEOPLE = {"U0OCTOCAT": "octocat", "U0ADA": "ada"}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    changes = {"override": ["github:octocat"], "slack": {"people": PEOPLE}}
    async with house(tmp_path, jobs=JOBS, changes=changes) as made:
        made.github.add_person("acme/shop", "ada", "write")
        made.slack.add_person("octocat", id=USER)
        made.slack.add_person("ada", id="U0ADA")
        let_in(made)
        yield made


async def test_form_asks_why_while_a_freeze_is_on_and_starts_in_spite_of_it(home: House) -> None:
    await home.slack.slash("run migrate", user=USER)
    assert "override" not in filled(view_of(home.slack))
    view_of(home.slack).open = False
    await home.types('freeze "year end"')
    await home.slack.slash("run migrate --override 'as typed'", user=USER)
    view = view_of(home.slack)
    assert filled(view)["override"] == "as typed"
    assert "year end" in str(view.blocks)
    await home.slack.submit(view, {"parameter.COUNT": "3", "override": "it\u200bs down"})
    assert set(view.errors) == {"override"}
    assert await started(home) == []
    await home.slack.submit(view, {"override": "it is down"})
    (run,) = await started(home)
    assert (run.override, run.actor) == ("it is down", "slack:octocat")


async def test_form_without_a_reason_is_refused_and_told_as_the_command(home: House) -> None:
    await home.types("freeze")
    await home.slack.slash("run migrate", user=USER)
    await home.slack.submit(view_of(home.slack), {"parameter.COUNT": "3"})
    assert await started(home) == []
    assert "everything is frozen" in (await replies(home))[-1]


async def test_who_may_not_override_is_not_asked_and_a_right_that_is_gone_counts(home: House) -> None:
    await home.types("freeze")
    await home.slack.slash("run migrate", user="U0ADA")
    view = view_of(home.slack)
    assert "override" not in filled(view)
    view.open = False
    await home.slack.slash("run migrate", user=USER)
    view = view_of(home.slack)
    payload = home.slack.interactions.view_submission(view, home.slack.people[0])
    payload["view"]["id"] += "x"
    payload["user"]["id"] = "U0ADA"
    values = payload["view"]["state"]["values"]
    for block, text in (("parameter.COUNT", "3"), ("override", "mine")):
        values[block] = {"value": {"type": "plain_text_input", "value": text}}
    (reply,) = await home.does(payload)
    assert await started(home) == []
    assert "in spite of a freeze" in reply
    assert "--override mine" in reply
