"""How long after the end of a run its card and its check say so, at the stand-in for GitHub.

The peer is what cannot be had for less: two bare writes to the same stand-in, one after the other, over a
connection that is kept.
"""

import statistics
import time
from datetime import datetime

import httpx

from benchmarks.harness import Row, prepared
from demo.github import Check, Comment
from demo.installation import PERSON, PULL, REPOSITORY, Installation, installation

RUNS, WARM = 40, 5
BUDGET_MS = 150.0
TOKEN = "ghp_bench"

CONFIG = """
images:
  shop: {build: {repository: acme/shop, setup: "true"}}
jobs:
  nap: {image: shop, command: ["sleep", "0.2"]}
"""


async def rows() -> list[Row]:
    """The median of the milliseconds from the end of a run to the later of its two answers."""
    with prepared(CONFIG) as place:
        async with installation(
            place / "errand", config=place / "app.yaml", sample=place / "sample"
        ) as errand:
            token = await errand.token("bench")
            spent = [await _answer(errand, number, token) for number in range(1, WARM + RUNS + 1)]
            ours, peer = spent[WARM:], await _bare(errand)
    median = statistics.median(ours)
    slowest = statistics.quantiles(ours, n=20)[-1]
    note = f"{RUNS} runs one by one, 95 % within {slowest:.0f} ms; the peer is two bare writes"
    name = "run finished to card and check posted, of 150 ms"
    return [Row(name, median, peer, median / BUDGET_MS, "ms", 1.0, most=True, note=note)]


async def _answer(errand: Installation, number: int, token: str) -> float:
    """Milliseconds for run `number`, which a comment starts."""
    github = errand.beside.github

    def card() -> Comment | None:
        return next((each for each in github.comments if f"#{number}]" in each.body and _ended(each)), None)

    def check() -> Check | None:
        title = f"#{number} succeeded"
        return next((each for each in github.checks if str(each.output.get("title")).startswith(title)), None)

    await errand.comment("/job run nap")
    await github.wait_for(lambda: (card() and check()) or None, 60)
    at = time.time()
    run = (await errand.get(f"/api/runs/{number}", token=token)).json()
    return (at - _seconds(run["finished_at"])) * 1000


def _ended(comment: Comment) -> bool:
    return " succeeded" in comment.body.partition("\n")[0]


def _seconds(moment: float | str) -> float:
    """A moment of the API as seconds since the epoch."""
    return moment if isinstance(moment, float) else datetime.fromisoformat(moment).timestamp()


async def _bare(errand: Installation) -> float:
    """The median of the milliseconds of two writes."""
    github = errand.beside.github
    github.add_token(TOKEN, PERSON)
    comment = github.add_comment(REPOSITORY, PULL, PERSON, "words")
    url = f"{errand.beside.github_url}/repos/{REPOSITORY}/issues/comments/{comment.id}"
    spent = list[float]()
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=60.0) as client:
        for _ in range(RUNS):
            began = time.perf_counter()
            for _ in range(2):
                (await client.patch(url, json={"body": "words"})).raise_for_status()
            spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)
