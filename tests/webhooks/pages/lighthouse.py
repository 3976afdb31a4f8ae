"""Lighthouse of a pinned version, from npm: https://developer.chrome.com/docs/lighthouse/overview"""

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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


TRIES = 3
"""How often a page is loaded: now and then Chromium records nothing of it, which is to be repeated then."""


async def report(url: str, cookie: SetCookieParam, chromium: str, categories: Sequence[str]) -> Report:
    """Of a page as Lighthouse's phone on its slow line gets it."""
    for _ in range(TRIES):
        read = await _read(url, cookie, chromium, categories)
        if "runtimeError" not in read:
            scores = {name: read["categories"][name]["score"] for name in categories}
            if None not in scores.values():  # that is one of which a part could not be looked at
                return Report(scores, read["audits"])
    raise RuntimeError(f"Lighthouse could not look at {url}: {read.get('runtimeError', 'not at all of it')}")


async def _read(url: str, cookie: SetCookieParam, chromium: str, categories: Sequence[str]) -> dict[str, Any]:
    tool = npm.package("lighthouse", VERSION, "lighthouse") / "cli" / "index.js"
    headers = json.dumps({"Cookie": f"{cookie['name']}={cookie['value']}"})
    with tempfile.TemporaryDirectory() as directory:
        written = Path(directory) / "report.json"
        asked = [
            "--quiet", "--output=json", f"--output-path={written}",
            f"--only-categories={','.join(categories)}", "--only-audits=cumulative-layout-shift",
            f"--chrome-flags={' '.join(FLAGS)}", f"--extra-headers={headers}",
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            "node", str(tool), url, *asked, env=os.environ | {"CHROME_PATH": chromium}
        )
        await process.wait()
        if not written.exists():
            return {"runtimeError": f"it ended with exit code {process.returncode}"}
        read: dict[str, Any] = json.loads(written.read_text())
        return read
