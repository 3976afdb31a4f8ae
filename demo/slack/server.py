"""A stand-in for Slack, as strict as Slack: its Web API, its response URLs, its people.

What Errand does not use is not there. https://docs.slack.dev
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from demo.deliveries import Delivery
from demo.slack.apps import App
from demo.slack.calls import Calls, Credentials, Method
from demo.slack.chat import Chat
from demo.slack.doors import HttpDoor, Sending
from demo.slack.hands import Hands
from demo.slack.people import People
from demo.slack.responses import Responses
from demo.slack.socket_mode import SocketMode
from demo.slack.surfaces import Surfaces
from demo.slack.workspace import Channel, Group, Json, Person, Workspace
from demo.watched import Watched

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "links:read",
        "links:write",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
"""All that an app may ask for here."""


class SlackStandIn(Watched, Workspace, Hands):
    """One workspace with one bot. `url` is where it listens (without `/api/`); `clock` is its time.

    What is there is read as it stands in `Workspace`; what a person does is a method of `Hands`.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        Workspace.__init__(self, clock)
        self.token = f"xoxb-{secrets.token_hex(12)}"
        self.app_token = f"xapp-1-{self.app_id}-1-{secrets.token_hex(12)}"
        self.scopes = set(SCOPES)
        self.credentials = Credentials(self.token, self.app_token, self.scopes, {"connections:write"})
        self.surfaces = Surfaces(self)
        self.calls = Calls(self, self.credentials)
        for family in (Chat(self, self.scopes), People(self, self.scopes), self.surfaces):
            self.calls.add(family.methods)
        self.socket_mode = SocketMode(self.app_id, self.notify)
        self.calls.add({"auth.test": Method(self._auth_test)} | self.socket_mode.methods)
        responses = Responses(self)
        routes = [
            Route("/api/{method}", self.calls.answer, methods=["GET", "POST"]),
            Route("/commands/{team}/{number}/{secret}", responses.answer, methods=["POST"]),
        ]
        Hands.__init__(self, self, self.surfaces, responses)
        Watched.__init__(self, Starlette(routes=routes))

    # What is there --------------------------------------------------------------------------------

    def add_channel(
        self,
        name: str,
        *,
        member: bool = True,
        private: bool = False,
        archived: bool = False,
        shared: bool = False,
    ) -> Channel:
        """A channel, by its name without `#`; all people are in it until its `people` says who."""
        channel = Channel(f"C{next(self.numbers):08d}", name, member, private, archived, shared)
        self.channels.append(channel)
        return channel

    def add_person(self, name: str, *, id: str | None = None, **about: Any) -> Person:
        """Somebody; `about` as in `Person`. Of another `team` they are a stranger."""
        team = about.pop("team", self.team_id)
        about.setdefault("stranger", team != self.team_id)
        person = Person(id or f"U{next(self.numbers):08d}", name, team, **about)
        self.people = [each for each in self.people if each.id != person.id] + [person]
        return person

    def add_group(self, handle: str, *people: Person | str) -> Group:
        """A user group, by its handle without `@`."""
        ids = [each if isinstance(each, str) else each.id for each in people]
        group = Group(f"S{next(self.numbers):08d}", handle, ids)
        self.groups.append(group)
        return group

    def refuse_blocks(self, *kinds: str) -> None:
        """Take no such blocks, as a workspace that has not got them yet: `invalid_blocks`."""
        self.refused_blocks |= set(kinds)

    # What goes wrong ------------------------------------------------------------------------------

    def limit(self, method: str, *, retry_after: int = 30, times: int = 1) -> None:
        """Answer the next calls of a method with 429."""
        headers = {"Retry-After": str(retry_after)}
        self.fail(
            f"/api/{method}$", 429, headers=headers, body={"ok": False, "error": "ratelimited"}, times=times
        )

    def say(self, method: str, error: str, *, times: int = 1) -> None:
        """Answer the next calls of a method with an error's name."""
        self.fail(f"/api/{method}$", 200, body={"ok": False, "error": error}, times=times)

    def pace(self, seconds: float) -> None:
        """From now on a channel takes one message in so many seconds; more are answered with 429."""
        self.calls.pace = seconds

    async def revoke(self, error: str = "token_revoked", *, announces: bool = True) -> None:
        """End the tokens: `token_revoked`, or `account_inactive` of an app that was removed."""
        self.credentials.ended = error
        if announces:
            await self.event(self.events.tokens_revoked())
            if error == "account_inactive":
                await self.event(self.events.app_uninstalled())

    def install(self, manifest: Json) -> None:
        """Make the app of a manifest: from now on it may, hears and shows only what that says."""
        app = App.read(manifest)
        self.accept("apps.manifest.create", {"manifest": manifest})
        self.app = app
        self.scopes.clear()
        self.scopes.update(app.scopes)
        self.surfaces.home_enabled = app.home
        self.socket_mode.enabled = app.sockets

    # How the app is reached -----------------------------------------------------------------------

    def reach(self, deliver: Callable[[Delivery], Awaitable[httpx.Response]], secret: str) -> None:
        """Send what people do to the app's request URL: `deliver` posts a request there."""
        self.door = HttpDoor(deliver, secret, self.clock)

    async def pass_on(self, sending: Sending) -> httpx.Response:
        """Send it to the request URL, or through a socket once the app has asked for one."""
        if self.socket_mode.enabled:
            self.sent.append(sending)
            return await self.socket_mode(sending)
        return await super().pass_on(sending)

    def _auth_test(self, arguments: Json) -> Json:
        return {
            "url": f"{self.url}/",
            "team": "Acme",
            "user": "errand",
            "team_id": self.team_id,
            "user_id": self.bot_user,
            "bot_id": self.bot_id,
            "is_enterprise_install": False,
        }
