"""Every example payload that GitHub publishes is taken with a 2xx, and none breaks anything."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo import deliveries
from demo.installation import GITHUB_SECRET, Installation

PACKAGE = "@octokit/webhooks-examples@7.6.1"
ROOT = Path(__file__).parents[2]
AT_ONCE = 32


@pytest.fixture(scope="module")
def examples() -> list[tuple[str, Any]]:
    """(event, payload) of every example, from npm; skipped without it, an error in CI."""
    place = ROOT / "var" / "examples"
    found = place / "node_modules" / "@octokit" / "webhooks-examples"
    if not found.exists():
        reason = "npm is missing" if shutil.which("npm") is None else _install(place)
        if reason:
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    return [
        (kind["name"], payload)
        for source in ("api.github.com", "ghes-35")
        for kind in json.loads((found / source / "index.json").read_text())
        for payload in kind["examples"]
    ]


def _install(place: Path) -> str | None:
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", place, PACKAGE],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return f"npm could not install {PACKAGE}: {done.stderr[-500:]}" if done.returncode else None


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

    await errand.wait_for(settled, 60)
    assert [event for event in errand.events if event.get("level") in ("error", "critical")] == []
    assert [event for event in errand.events if "exception" in event or event.get("event") == "output"] == []
