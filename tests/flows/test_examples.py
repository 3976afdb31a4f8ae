"""Every example payload that GitHub publishes is taken with a 2xx, and none breaks anything."""

import asyncio
import json
from typing import Any

import pytest

from demo import deliveries
from demo.installation import GITHUB_SECRET, Installation
from tests.npm import package

AT_ONCE = 32


@pytest.fixture(scope="module")
def examples() -> list[tuple[str, Any]]:
    """(event, payload) of every example, from npm; skipped without it, an error in CI."""
    found = package("@octokit/webhooks-examples", "7.6.1", "examples")
    return [
        (kind["name"], payload)
        for source in ("api.github.com", "ghes-35")
        for kind in json.loads((found / source / "index.json").read_text())
        for payload in kind["examples"]
    ]


async def test_every_example_is_taken_and_breaks_nothing(
    errand: Installation, examples: list[tuple[str, Any]]
) -> None:
    assert len(examples) > 250
    errand.on_event = lambda event: None
    free = asyncio.Semaphore(AT_ONCE)

    async def send(number: int, event: str, payload: Any) -> int:
        form = number % 3 == 0
        delivery = deliveries.github(GITHUB_SECRET, event, f"example-{number}", payload, form=form)
        async with free:
            return (await errand.deliver("/webhooks/github", delivery)).status_code

    answers = await asyncio.gather(*(send(n, event, payload) for n, (event, payload) in enumerate(examples)))
    assert {answer // 100 for answer in answers} == {2}

    stored = {f"github:example-{n}" for n, answer in enumerate(answers) if answer == 202}

    def settled() -> bool:
        told = {event["key"] for event in errand.events if event.get("event") == "delivery.settled"}
        return stored <= told

    await errand.wait_for(settled)
    assert [event for event in errand.events if event.get("level") in ("error", "critical")] == []
    assert [event for event in errand.events if "exception" in event or event.get("event") == "output"] == []
