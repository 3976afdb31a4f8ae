"""The movement floor in one room: a real store, stand-ins for GitHub and Slack, an engine that obeys."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from ruamel.yaml import YAML
from sqlalchemy import select

from bot.access import links
from bot.composition import Composition
from bot.config import load
from bot.github import GitHub
from bot.parts import Parts
from bot.posting import outbox
from bot.registry import Registry, renewed
from bot.repositories import Repositories
from bot.slack import Slack
from bot.store import Session, Store, builds, deliveries, runs
from bot.tables import Build, Delivery, Post, Run
from demo import deliveries as payloads
from demo.github import GitHubStandIn
from demo.slack import SlackStandIn
from demo.standins import StandIns, standins
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from tests.bot.engine import ObedientEngine

SHOP, SITE = "acme/shop", "acme/site"
HEAD = "a" * 40
T = TypeVar("T")

Document = dict[str, Any]
"""An app.yaml, or a part of one."""


def unchecked(session: Session) -> None:
    """What is asked for in the transaction of a call, where nothing stands in its way."""


def merged(document: Document, changes: Mapping[str, Any]) -> Document:
    """`document` with `changes`: keys in keys, everything else anew."""
    made = dict(document)
    for key, value in changes.items():
        old = made.get(key)
        made[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return made


def _document(home: Path, beside: StandIns) -> Document:
    shop = {"image": "shop", "command": "true"}
    return {
        "url": "https://errand.example.com",
        "database": databases.sqlite(home / "errand.db"),
        "logs": {"directory": f"{home}/logs"},
        "github": {
            "app_id": str(beside.github.app_id),
            "private_key": "${KEY}",
            "webhook_secret": "hook-secret",
            "api_url": beside.github_url,
            "pace": "0s",
            "clone_url": f"file://{home}/{{repository}}.git",
        },
        "slack": {
            "signing_secret": "signing-secret",
            "bot_token": beside.slack.token,
            "api_url": beside.slack_url,
            "people": {"U0OCTOCAT": "octocat"},
        },
        "engine": {"kind": "process", "process": {"directory": f"{home}/work"}},
        "images": {
            "shop": {"build": {"repository": "Acme/Shop"}},
            "site": {"build": {"repository": "acme/site"}},
        },
        "jobs": {
            "plain": {"command": 'echo "hi $WHO"', "parameters": {"WHO": {"default": "you"}}},
            "words": {"command": ["echo"], "arguments": True, "env": {"API_KEY": "${API_KEY}"}},
            "deploy": shop | {"notify": {"slack": "#ops"}, "parameters": {"SECRETIVE": {"required": True}}},
            "check": shop,
            "publish": {"image": "site", "command": "true"},
        },
    }


class House:
    """Everything that the movement works with, and hands to make things happen."""

    def __init__(self, tools: Parts, beside: StandIns, engine: ObedientEngine, home: Path) -> None:
        self.tools = tools
        self.beside = beside
        self.engine = engine
        self.home = home
        self.now = time.time()
        self._numbers = count(1)

    @property
    def bot(self) -> Composition:
        """All classes, new as after a restart, so that none remembers what another one saw."""
        return Composition(self.tools)

    @property
    def github(self) -> GitHubStandIn:
        return self.beside.github

    @property
    def slack(self) -> SlackStandIn:
        return self.beside.slack

    @property
    def store(self) -> Store:
        return self.tools.store

    async def deliver(self, event: str, body: bytes, *, source: str = "github", key: str = "") -> Delivery:
        """A stored and claimed delivery."""
        is_form = source == "slack" and event != "event"
        media = "application/x-www-form-urlencoded" if is_form else "application/json"
        key = key or f"{source}:{next(self._numbers)}"
        await self.store.add_delivery(
            key=key, source=source, event=event, media_type=media, body=body, now=self.now
        )
        (claimed,) = await self.store.write(
            lambda s: deliveries.claim(s, owner=self.tools.owner, now=self.now, lease=60.0, limit=1)
        )
        return claimed

    async def comment(
        self, body: str, *, author: str = "octocat", repository: str = SHOP, **how: Any
    ) -> Delivery:
        """A delivery of a new comment; `how` is what else the payload says."""
        known = self.github.state.repository(repository)
        assert known is not None
        made = self.github.add_comment(known.name, 7, author, body)
        how = {"private": known.private, "number": known.id, "at": self.now, **how}
        payload = payloads.issue_comment(repository, 7, made.id, author, body, **how)
        return await self.deliver("issue_comment", json.dumps(payload).encode())

    async def says(
        self, body: str, *, author: str = "octocat", repository: str = SHOP, **how: Any
    ) -> list[str]:
        """Somebody comments; gives the texts of the replies."""
        return await self._handled(await self.comment(body, author=author, repository=repository, **how))

    async def types(self, text: str, *, user: str = "U0OCTOCAT") -> list[str]:
        """Somebody types a slash command; gives the texts of the replies."""
        channel = self.slack.channels[0].id
        fields = payloads.slash_command(
            text,
            trigger=f"{next(self._numbers)}.t",
            channel=channel,
            person=user,
            response_url=self.slack.response_url(channel, user),
        )
        sent = payloads.slack("signing-secret", fields, self.now)
        return await self._handled(await self.deliver("command", sent.body, source="slack"))

    async def does(self, payload: Mapping[str, Any]) -> list[str]:
        """Slack sends `payload`, of something that a person did; gives the texts of the replies."""
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return await self._handled(await self.deliver("interactivity", body, source="slack"))

    async def tells(self, event: Mapping[str, Any], *, id: str = "") -> list[str]:
        """Slack tells of an event; gives the texts of the replies."""
        id = id or f"Ev{next(self._numbers)}"
        sent = {"type": "event_callback", "event_id": id, "team_id": self.slack.team_id, "event": event}
        body = json.dumps(sent).encode()
        return await self._handled(await self.deliver("event", body, source="slack", key=f"slack:{id}"))

    async def push(
        self, commit: str, *, repository: str = SHOP, branch: str = "main", before: str = payloads.ZERO_SHA
    ) -> None:
        """A branch was pushed."""
        known = self.github.state.repository(repository)
        of = {"private": True, "number": known and known.id}
        payload = payloads.push(repository, commit, branch=branch, before=before, at=self.now, **of)  # type: ignore[arg-type]
        await self.bot.deliveries.handle(await self.deliver("push", json.dumps(payload).encode()))

    async def _handled(self, delivery: Delivery) -> list[str]:
        before = {post.identity for post in await self.posts()}
        await self.bot.deliveries.handle(delivery)
        return [post.text for post in await self.posts() if post.text and post.identity not in before]

    async def delivery(self, key: Delivery) -> Delivery:
        """The delivery as it stands."""
        number = key.identity
        found = await self.store.read(lambda s: s.get(Delivery, number))
        assert found is not None
        return found

    async def posts(self) -> list[Post]:
        """All posts, oldest first."""
        return await self.store.read(lambda s: list(s.scalars(select(Post).order_by(Post.__table__.c.id))))  # type: ignore[attr-defined]

    async def run(self, number: int) -> Run:
        """A run as it stands."""
        found = await self.store.read(lambda s: runs.get(s, number))
        assert found is not None
        return found

    async def build(self, number: int) -> Build:
        """A build as it stands."""
        found = await self.store.read(lambda s: builds.get(s, number))
        assert found is not None
        return found

    async def claim(self, table: type[T]) -> T:
        """The one run or build that can be claimed."""
        claim: Any = {Run: runs.claim, Build: builds.claim}[table]  # type: ignore[index]
        (row,) = await self.write(
            lambda s: claim(s, owner=self.tools.owner, now=self.now, lease=60.0, limit=10)
        )
        return row  # type: ignore[no-any-return]

    async def write(self, work: Callable[[Session], Any]) -> Any:
        return await self.store.write(work)

    async def reread(self) -> None:
        """Read app.yaml again, as SIGHUP does."""
        new = load(self.home / "app.yaml", {"KEY": self.github.private_key, "API_KEY": "s3cr3t"})
        await self.tools.registry.apply(renewed(self.tools.registry.config, new)[0])

    def without(self, **tools: Any) -> "House":
        """The same house with other tools."""
        if "config" in tools:
            tools["registry"] = Registry(tools.pop("config"), self.store, time.time)
            tools["repositories"] = Repositories(self.store, tools["registry"], self.tools.clock)
        made = House(replace(self.tools, **tools), self.beside, self.engine, self.home)
        made._numbers = self._numbers
        return made


@asynccontextmanager
async def house(
    home: Path, *, changes: Mapping[str, Any] | None = None, jobs: str = ""
) -> AsyncIterator[House]:
    """A house in the directory `home`, with `changes` of its configuration and more `jobs` in YAML."""
    engine = ObedientEngine()
    async with standins() as beside:
        outbox.BEGINNING = outbox.ENDING = 0.0  # its runs begin when a test says so
        _authorization(beside)
        file = home / "app.yaml"
        more = {"jobs": YAML(typ="safe", pure=True).load(jobs) or {}}
        # JSON is YAML.
        file.write_text(json.dumps(merged(merged(_document(home, beside), changes or {}), more)))
        config = load(file, {"KEY": beside.github.private_key, "API_KEY": "s3cr3t"})
        assert config.github is not None
        known: list[Repositories] = []
        github = GitHub(
            api_url=config.github.api_url,
            app_id=config.github.app_id,
            private_key=config.github.private_key,
            clone_url=config.github.fetch_url,
            clock=time.time,
            known=lambda name: known[0].known(name),
        )
        slack = Slack(api_url=beside.slack_url, bot_token=Secret(beside.slack.token), clock=time.time)
        numbers = count(1)
        async with await Store.open(config.database.reveal(), owner="one") as store:
            made: House | None = None

            def clock() -> float:
                return time.time() if made is None else made.now

            registry = await Registry.open(config, store, clock)
            known.append(Repositories(store, registry, clock))
            tools = Parts(
                registry=registry,
                store=store,
                engine=engine,
                logs=LogStore(config.logs.directory, 2**20),
                github=github,
                slack=slack,
                clock=clock,
                nonce=lambda: f"{next(numbers):016x}",
                owner="one",
                keys=_keys(),
                repositories=known[0],
            )
            made = House(tools, beside, engine, home)
            try:
                yield made
            finally:
                await github.close()
                await slack.close()


@cache
def _keys() -> links.Keys:
    """Costly by intention, and the same for every house."""
    return links.derive([Secret("hook-secret")])


def _authorization(beside: StandIns) -> None:
    for name, private in ((SHOP, True), (SITE, False)):
        beside.github.add_repository(name, refs={"main": HEAD, "feature": "b" * 40}, private=private)
        beside.github.add_person(name, "octocat", "write")
        beside.github.add_person(name, "reader", "read")
        beside.github.add_pull(name, 7, "c" * 40, "topic")
    beside.slack.add_channel("ops")
