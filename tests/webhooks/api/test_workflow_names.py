"""Workflows of repositories that were renamed keep their rights; those of who took a name have none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.access.repository_pins import Identity
from bot.access.workflows import Workflow
from bot.catalog.rule_book import RuleBook
from tests.bot.house import SHOP, House, house
from webhooks.api.workflows import Workflows

MAIN = "refs/heads/main"
PUSH = Workflow(
    SHOP, "7", MAIN, "push", f"{SHOP}/.github/workflows/deploy.yml@{MAIN}", owner_id="3", sender="ada"
)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


class Signed:
    """GitHub's word, whatever the token says."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    async def workflow(self, token: str) -> Workflow:
        return self._workflow


async def opened(home: House, workflow: Workflow, *allow: str) -> tuple[str | None, frozenset[str]]:
    """What a workflow is called, and what it may do where one job has these rules."""
    job = home.tools.registry.catalog.jobs["plain"].model_copy(update={"allow": allow})
    jobs = {**home.tools.registry.catalog.jobs, "plain": job}
    object.__setattr__(home.tools.registry.catalog, "jobs", jobs)
    registry = home.tools.registry
    rules = RuleBook(registry.rules.people, registry.catalog.jobs)
    registry._today = replace(registry._today, rules=rules)  # as after every change
    visitors = Workflows(Signed(workflow), registry.rules.started_by, home.tools.repositories)  # type: ignore[arg-type]
    visitor = await visitors.visitor("token")
    assert not visitor.scopes or visitor.caller.sender == workflow.sender
    return visitor.name, visitor.scopes


def called(name: str, number: str, **more: str) -> Workflow:
    path = f"{name}/.github/workflows/deploy.yml@{MAIN}"
    return replace(PUSH, repository=name, repository_id=number, workflow_ref=path, **more)


RULES = [f"actions:{SHOP}@{MAIN}", f"actions:{SHOP}@{MAIN}:workflow:deploy.yml", "actions:Acme/Shop"]


@pytest.mark.parametrize("rule", RULES)
async def test_renamed_repository_fits_the_rules_of_its_old_name(home: House, rule: str) -> None:
    first = await opened(home, PUSH, rule)
    assert first[1] == {"run:plain"}
    for name in ("acme/store", "umbrella/shop"):
        found, scopes = await opened(home, called(name, "7", owner_id="4"), rule)
        assert scopes == {"run:plain"}
        assert (found or "").casefold() == (first[0] or "").casefold()  # what it started is still its own


@pytest.mark.parametrize("rule", [*RULES, "actions:acme/*"])
async def test_who_took_the_name_fits_none(home: House, rule: str) -> None:
    await opened(home, PUSH, rule)
    assert (await opened(home, called(SHOP, "8"), rule))[1] == frozenset()
    assert (await opened(home, PUSH, rule))[1] == {"run:plain"}


async def test_account_that_took_the_owners_name_fits_no_pattern(home: House) -> None:
    await opened(home, PUSH, "actions:acme/*")
    assert (await opened(home, called("acme/new", "9", owner_id="666"), "actions:acme/*"))[1] == frozenset()
    assert (await opened(home, called("acme/new", "9"), "actions:acme/*"))[1] == {"run:plain"}


async def test_number_in_a_rule_decides_alone(home: House) -> None:
    assert (await opened(home, called("acme/store", "7"), f"actions:{SHOP}#7"))[1] == {"run:plain"}
    assert (await opened(home, called(SHOP, "8"), f"actions:{SHOP}#7"))[1] == frozenset()


async def test_webhook_and_workflow_know_the_same_number(home: House) -> None:
    """What one door has seen holds at the other."""
    await home.says("/job list")
    known = await home.tools.repositories.known(SHOP)
    assert known is not None
    assert (await opened(home, called(SHOP, "8"), f"actions:{SHOP}"))[1] == frozenset()
    assert (await opened(home, called(SHOP, str(known.number)), f"actions:{SHOP}"))[1] == {"run:plain"}


async def test_pins_of_a_repository_that_only_a_rule_names_are_kept(home: House) -> None:
    await opened(home, called("acme/tools", "5"), "actions:acme/tools")
    with pytest.raises(Exception, match="not run here"):
        await home.tools.repositories.admit(Identity("acme/tools", 6), door="delivery")
