"""Lighthouse of a pinned version, from npm: https://developer.chrome.com/docs/lighthouse/overview"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright._impl._api_structures import SetCookieParam

from tests import npm
from tests.webhooks.pages.conftest import FLAGS

VERSION = "12.8.2"
PATHS = ("/jobs", "/jobs/check", "/runs/1")
"""Where people are most: jobs, a job, a run that has ended."""


@dataclass(frozen=True, slots=True)
class Report:
    """`scores` from 0 to 1 by category; `audits` as Lighthouse writes them."""

    scores: dict[str, float]
    audits: dict[str, Any]

    @property
    def failed(self) -> list[str]:
        """What cost points in the categories, with the elements that it is about."""
        found = [(name, each) for name, each in self.audits.items() if each["score"] not in (None, 1)]
        return [f"{name}: {json.dumps(each.get('details', {}))[:600]}" for name, each in found]


async def report(url: str, cookie: SetCookieParam, chromium: str, categories: Sequence[str]) -> Report:
    """Of a page as Lighthouse's phone on its slow line gets it."""
    tool = npm.package("lighthouse", VERSION, "lighthouse") / "cli" / "index.js"
    headers = json.dumps({"Cookie": f"{cookie['name']}={cookie['value']}"})
    asked = [
        "--quiet", "--output=json", "--output-path=stdout", f"--only-categories={','.join(categories)}",
        "--only-audits=cumulative-layout-shift", f"--chrome-flags={' '.join(FLAGS)}",
        f"--extra-headers={headers}",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "node", str(tool), url, *asked,
        env=os.environ | {"CHROME_PATH": chromium}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    written, _ = await process.communicate()
    read = json.loads(written)
    return Report({name: read["categories"][name]["score"] for name in categories}, read["audits"])
