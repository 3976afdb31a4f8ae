"""How soon a decision of one door is shown at every other place: a yes, a freeze, a lock, a stop.

Measured on `errand serve` as a process of its own between the stand-ins, with SQLite, the process engine and
the pace that GitHub and Slack get by default. The time goes from before the decision is sent to when a place
has it: where Errand tells (GitHub, Slack, the streams of pages and of the journal) that is when it arrives,
where it is asked (the API) when the answer says so. Decisions come a random while after what went before, up
to two seconds: so some come while a place gathers what is told of one thing.
"""

import asyncio
import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from benchmarks.harness import Row, prepared
from demo.github import Check, Comment
from demo.installation import REPOSITORY, Installation, installation
from demo.slack import Message
from demo.watched import PATIENCE

ROUNDS = 6
SECOND_MS = 1000.0
RESTS = (0.0, 2.0)
"""Seconds between what went before and a decision."""
LONGEST = 30.0
"""Seconds that a place is waited for."""
LOOK = 0.01
"""Seconds between two questions to the API."""
ADA = "U0000ADA"

_HOUSE = """
slack:
  signing_secret: ${SLACK_SIGNING_SECRET}
  bot_token: ${SLACK_BOT_TOKEN}
  api_url: ${SLACK_API_URL}
  people: {U012AB3CD: octocat, U0000ADA: ada}
pages: {admins: [github:octocat]}
images: {shop: {build: {repository: acme/shop}}}
defaults: {image: shop, notify: {slack: "#ops"}}
jobs:
  migrate:
    command: sleep 2
    approval: {from: [github:ada, "token:bench"], expires: 1h}
  prod:
    command: sleep 2
    lock: production
  long:
    command: |
      trap 'sleep 2; exit 0' TERM
      echo 1/9 > "$ERRAND_PROGRESS"
      sleep 600 & wait
"""

Times = dict[str, dict[str, list[float]]]
"""Milliseconds by place and decision."""


@dataclass(slots=True)
class Latest:
    """What a stream has told last; whoever waits looks again at each piece."""

    text: str = ""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def tell(self, text: str) -> None:
        """It says something else now."""
        async with self.changed:
            self.text = text
            self.changed.notify_all()

    async def says(self, right: Callable[[str], bool]) -> None:
        """Wait until it is right."""
        async with self.changed:
            await self.changed.wait_for(lambda: right(self.text))


@dataclass(slots=True)
class Scene:
    """An installation, and what is open in it: the first page and the journal, both followed."""

    errand: Installation
    token: str
    times: Times
    front: Latest = field(default_factory=Latest)
    journal: Latest = field(default_factory=Latest)
    dice: random.Random = field(default_factory=lambda: random.Random(16))

    @property
    def headers(self) -> dict[str, str]:
        """Of who asks."""
        return {"authorization": f"Bearer {self.token}"}

    async def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        """What a page or the API answers."""
        answer = await self.errand.client.request(method, path, headers=self.headers, **more)  # type: ignore[arg-type]
        if answer.status_code >= 400:
            raise RuntimeError(answer.text)
        return answer

    async def newest(self, job: str) -> int:
        """The number of the last run of a job."""
        return int((await self.ask("GET", f"/api/runs?job={job}&limit=1")).json()["runs"][0]["number"])

    async def decide(
        self, name: str, decision: Callable[[], Awaitable[object]], places: Mapping[str, Awaitable[object]]
    ) -> None:
        """Decide after a rest, and note when each place shows it."""
        begun = asyncio.get_running_loop().create_future()

        async def watch(place: str, shown: Awaitable[object]) -> None:
            try:
                async with asyncio.timeout(LONGEST):
                    await shown
            except TimeoutError as error:
                raise RuntimeError(f"a {name} is not shown {place}") from error
            self.times[place][name].append((time.perf_counter() - await begun) * 1000)

        async with asyncio.TaskGroup() as group:
            for place, shown in places.items():
                group.create_task(watch(place, shown))
            await asyncio.sleep(self.dice.uniform(*RESTS))
            begun.set_result(time.perf_counter())
            await decision()

    # The places -----------------------------------------------------------------------------------

    async def comment(self, number: int | str, right: Callable[[str], bool]) -> Comment:
        """The newest comment of ours with that number or word in it, once it is right."""
        github = self.errand.beside.github

        def there() -> Comment | None:
            ours = (each for each in reversed(github.comments) if each.login == github.bot_login)
            return next((each for each in ours if _word(number) in each.body and right(each.body)), None)

        return await github.wait_for(there)

    async def check(self, number: int, right: Callable[[str], bool]) -> Check:
        """The check of a run."""
        github = self.errand.beside.github

        def there() -> Check | None:
            texts = ((each, f"{each.status} {each.output}") for each in reversed(github.checks))
            return next((each for each, text in texts if f"#{number}" in text and right(text)), None)

        return await github.wait_for(there)

    async def card(self, number: int | str, right: Callable[[str], bool]) -> Message:
        """The message of a run in the channel."""
        slack = self.errand.beside.slack

        def there() -> Message | None:
            texts = ((each, f"{each.text} {each.blocks}") for each in reversed(slack.messages))
            return next((each for each, text in texts if _word(number) in text and right(text)), None)

        return await slack.wait_for(there)

    async def home(self, right: Callable[[str], bool]) -> None:
        """Ada's Home."""
        slack = self.errand.beside.slack
        await slack.wait_for(lambda: right(str(slack.homes[ADA].blocks)) if ADA in slack.homes else None)

    async def api(self, path: str, right: Callable[[str], bool]) -> None:
        """What the API answers."""
        while not right((await self.ask("GET", path)).text):
            await asyncio.sleep(LOOK)

    async def page(self, number: int, right: Callable[[str], bool]) -> None:
        """The page of a run, which follows it."""
        path = f"/runs/{number}/events"
        async with self.errand.client.stream("GET", path, headers=self.headers, timeout=PATIENCE) as answer:
            event = ""
            async for line in answer.aiter_lines():
                event = line.removeprefix("event: ") if line.startswith("event: ") else event
                data = line.removeprefix("data: ")
                if event == "state" and data != line and right(str(json.loads(data)["head"])):
                    return
        raise RuntimeError("the page fell silent")


async def rows() -> list[Row]:
    """The slowest 1 in 20 at each place."""
    times: Times = defaultdict(lambda: defaultdict(list))
    with prepared(_HOUSE, pace="1s") as place:
        async with installation(place / "errand", config=place / "app.yaml", sample=place / "sample") as made:
            made.beside.github.add_person(REPOSITORY, "ada", "write")
            made.beside.slack.add_person("ada", id=ADA)
            async with _watched(Scene(made, await made.token("bench", "admin", "read"), times)) as scene:
                for round in range(1, ROUNDS + 1):
                    await made.beside.slack.open_home(user=ADA)
                    await _yes(scene)
                    await _freeze(scene, round)
                    await _lock(scene, round)
                    await _stop(scene)
    return [_row(name, by) for name, by in times.items()]


def _row(place: str, by: dict[str, list[float]]) -> Row:
    every = sorted(each for found in by.values() for each in found)
    slow = every[min(len(every) * 95 // 100, len(every) - 1)]
    each = ", ".join(f"{name} {statistics.median(found):.0f}/{max(found):.0f}" for name, found in by.items())
    note = f"median {statistics.median(every):.0f} of {len(every)}; median/slowest of {each}"
    return Row(f"shown {place}, slowest 5 %", slow, None, slow / SECOND_MS, "ms", 1.0, True, note)


@asynccontextmanager
async def _watched(scene: Scene) -> AsyncIterator[Scene]:
    """With the first page and the journal open."""
    following = [asyncio.create_task(_follow_front(scene)), asyncio.create_task(_follow_journal(scene))]
    try:
        yield scene
    finally:
        for each in following:
            each.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _follow_front(scene: Scene) -> None:
    """Read it again at each event, as its script does."""
    client = scene.errand.client
    async with client.stream("GET", "/events", headers=scene.headers, timeout=PATIENCE) as answer:
        async for line in answer.aiter_lines():
            if line == "event: changed":
                await scene.front.tell((await scene.ask("GET", "/overview")).text)


async def _follow_journal(scene: Scene) -> None:
    path = "/api/audit?follow=1"
    async with scene.errand.client.stream("GET", path, headers=scene.headers, timeout=PATIENCE) as answer:
        async for line in answer.aiter_lines():
            await scene.journal.tell(line)


def _word(number: int | str) -> str:
    return f"#{number}" if isinstance(number, int) else number


def _entry(kind: str, run: int | None = None) -> Callable[[str], bool]:
    """Whether a line of the journal tells of this, and of which run."""

    def right(line: str) -> bool:
        entry = json.loads(line) if line else {}
        return entry.get("kind") == kind and run in (None, entry.get("run"))

    return right


async def _yes(scene: Scene) -> None:
    """Asked for in a comment, granted over the API."""
    await scene.errand.comment("/job run migrate")
    await scene.comment("migrate", lambda text: "waiting for a yes" in text)
    number = await scene.newest("migrate")

    def is_waiting(text: str) -> bool:
        return "waiting for a yes" in text

    def granted(text: str) -> bool:
        return "approved by" in text.lower()

    await asyncio.gather(
        scene.comment(number, is_waiting),
        scene.check(number, is_waiting),
        scene.card(number, is_waiting),
        scene.home(is_waiting),
    )
    await scene.front.says(lambda text: "a yes of" in text)
    places: dict[str, Awaitable[object]] = {
        "in the comment on GitHub": scene.comment(number, granted),
        "in the check on GitHub": scene.check(number, granted),
        "in the card in Slack": scene.card(number, granted),
        "in the Home of Slack": scene.home(lambda text: not is_waiting(text)),
        "on the page of the run": scene.page(number, granted),
        "on the first page": scene.front.says(lambda text: "a yes of" not in text),
        "in the API": scene.api(f"/api/runs/{number}", lambda text: json.loads(text)["waiting_kind"] is None),
        "in the journal": scene.journal.says(_entry("approval.given", number)),
    }
    await scene.decide("yes", lambda: scene.ask("POST", f"/api/runs/{number}/approve"), places)
    await scene.card(number, lambda text: "succeeded" in text)
    await scene.check(number, lambda text: "completed" in text)


async def _freeze(scene: Scene, round: int) -> None:
    """Said in Slack, ended in a comment."""
    why = f"moving house {round}"

    def frozen(text: str) -> bool:
        return why in text

    def thawed(text: str) -> bool:
        return why not in text

    places: dict[str, Awaitable[object]] = {
        "in the Home of Slack": scene.home(frozen),
        "on the first page": scene.front.says(frozen),
        "in the API": scene.api("/api/freezes", frozen),
        "in the journal": scene.journal.says(_entry("freeze.begun")),
    }
    await scene.decide("freeze", lambda: scene.errand.slash(f'freeze "{why}" for 1h'), places)
    places = {
        "in the Home of Slack": scene.home(thawed),
        "on the first page": scene.front.says(thawed),
        "in the API": scene.api("/api/freezes", thawed),
        "in the journal": scene.journal.says(_entry("freeze.ended")),
    }
    await scene.decide("thaw", lambda: scene.errand.comment("/job thaw"), places)


async def _lock(scene: Scene, round: int) -> None:
    """Closed by a comment, opened on a page while a run waits for it."""
    why = f"backup {round}"

    def shut(text: str) -> bool:
        return why in text

    def free(text: str) -> bool:
        return why not in text

    places: dict[str, Awaitable[object]] = {
        "in the Home of Slack": scene.home(shut),
        "on the first page": scene.front.says(shut),
        "in the API": scene.api("/api/locks", shut),
        "in the journal": scene.journal.says(_entry("lock.closed")),
    }
    line = f'/job lock production "{why}" --everyone'
    await scene.decide("lock", lambda: scene.errand.comment(line), places)
    await scene.errand.slash("run prod")
    await scene.card("*prod*", shut)
    number = await scene.newest("prod")
    await asyncio.gather(scene.card(number, shut), scene.check(number, shut))
    places = {
        "in the check on GitHub": scene.check(number, free),
        "in the card in Slack": scene.card(number, free),
        "in the Home of Slack": scene.home(free),
        "on the page of the run": scene.page(number, free),
        "on the first page": scene.front.says(free),
        "in the API": scene.api(f"/api/runs/{number}", free),
        "in the journal": scene.journal.says(_entry("lock.opened")),
    }
    opened = {"target": "production"}
    await scene.decide("unlock", lambda: scene.ask("POST", "/unlock", data=opened), places)
    await scene.card(number, lambda text: "succeeded" in text)


async def _stop(scene: Scene) -> None:
    """A run of a comment that tells how far it is, cancelled on its page."""
    number = await scene.newest("prod") + 1

    def there(text: str) -> bool:
        return f"#{number}" in text

    def goes(text: str) -> bool:
        return "1/9" in text

    def stops(text: str) -> bool:
        return any(word in text.lower() for word in ("asked to stop", "stopping", "cancelled"))

    def newest(text: str) -> int:
        return int(json.loads(text)["runs"][0]["number"])

    places: dict[str, Awaitable[object]] = {
        "in the comment on GitHub": scene.comment(number, there),
        "in the check on GitHub": scene.check(number, there),
        "in the card in Slack": scene.card(number, there),
        "in the Home of Slack": scene.home(there),
        "on the first page": scene.front.says(lambda text: f"/runs/{number}" in text),
        "in the API": scene.api("/api/runs?limit=1", lambda text: newest(text) == number),
        "in the journal": scene.journal.says(_entry("run.started", number)),
    }
    await scene.decide("start", lambda: scene.errand.comment("/job run long"), places)
    await asyncio.gather(scene.comment(number, goes), scene.check(number, goes), scene.card(number, goes))
    places = {
        "in the comment on GitHub": scene.comment(number, stops),
        "in the check on GitHub": scene.check(number, stops),
        "in the card in Slack": scene.card(number, stops),
        "in the Home of Slack": scene.home(stops),
        "on the page of the run": scene.page(number, stops),
        "on the first page": scene.front.says(lambda text: "stopping" in text.lower()),
        "in the API": scene.api(f"/api/runs/{number}", stops),
        "in the journal": scene.journal.says(_entry("run.cancelled", number)),
    }
    await scene.decide("stop", lambda: scene.ask("POST", f"/runs/{number}/cancel"), places)
    await scene.card(number, lambda text: "was cancelled" in text)
    await scene.check(number, lambda text: "completed" in text)
