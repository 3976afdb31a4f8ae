"""What one workspace holds: channels, people, messages, views; and what was asked of whom, and when."""

import itertools
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from demo.slack.errors import SlackError
from demo.slack.published import Heard

RESPONSES = 5
RESPONSE_SECONDS = 1800.0
TRIGGER_SECONDS = 3.0

Json = dict[str, Any]


@dataclass(slots=True)
class Channel:
    """A channel; `member`: the bot is in it; `private`: it does not exist for who is not."""

    id: str
    name: str
    member: bool = True
    private: bool = False
    archived: bool = False
    shared: bool = False
    """Another organisation is in it."""
    people: set[str] | None = None
    """The ids of who is in it, None: everybody."""


@dataclass(slots=True)
class Person:
    """Somebody; `guest` is `restricted` or `ultra_restricted`, `team` their own workspace."""

    id: str
    name: str
    team: str
    email: str | None = None
    guest: str | None = None
    deleted: bool = False
    bot: bool = False
    stranger: bool = False
    """Not known here but through a channel that is shared."""
    tz: str = "Europe/Berlin"
    tz_offset: int = 3600


@dataclass(slots=True)
class Group:
    """A user group, mentioned as `@handle`."""

    id: str
    handle: str
    people: list[str]
    disabled: bool = False


@dataclass(slots=True)
class Message:
    """A message; `history` has every (text, blocks) it had, the current one last."""

    channel: str
    ts: str
    bot_id: str
    metadata: Json | None
    history: list[tuple[str, list[Json]]] = field(default_factory=list)
    thread_ts: str | None = None
    user: str | None = None
    """Who wrote it, where that was a person."""
    broadcast: bool = False
    """An answer in a thread that the channel shows too."""
    unfurls: Json = field(default_factory=dict)
    """What became of its links, by their address."""

    @property
    def text(self) -> str:
        """The current text."""
        return self.history[-1][0]

    @property
    def blocks(self) -> list[Json]:
        """The current blocks."""
        return self.history[-1][1]


@dataclass(slots=True)
class Ephemeral:
    """Something that one person was told, by `chat.postEphemeral` or through a response URL."""

    channel: str
    user: str
    text: str
    blocks: list[Json]
    response_type: str
    ts: str = ""
    thread_ts: str | None = None
    deleted: bool = False


@dataclass(slots=True)
class View:
    """A modal or somebody's Home. `content` is what the app sent, `values` what stands in its inputs."""

    id: str
    user: str
    content: Json
    hash: str
    root: str = ""
    previous: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """What the app had against the last submission, by block."""
    history: list[Json] = field(default_factory=list)
    open: bool = True

    @property
    def blocks(self) -> list[Json]:
        """Its blocks as they are now."""
        blocks: list[Json] = self.content["blocks"]
        return blocks


@dataclass(slots=True)
class ResponseUrl:
    """Where a command or a press may be answered, five times; `of` is the message that was pressed."""

    channel: str
    user: str
    made_at: float
    left: int = RESPONSES
    of: "Message | Ephemeral | None" = None


@dataclass(slots=True)
class _Trigger:
    user: str
    made_at: float
    view: str | None
    exchanged: bool = False


class Workspace:
    """One workspace and what is in it; `clock` is its time. https://docs.slack.dev/reference/objects

    `listeners` hear all that is accepted, as who knows Slack's published types wants to.
    """

    listeners: ClassVar[list[Heard]] = []

    def __init__(self, clock: Callable[[], float]) -> None:
        self.url = "http://slack.invalid"
        self.bot_id = "B0ERRAND"
        self.bot_user = "U0ERRAND"
        self.app_id = "A0ERRAND"
        self.team_id = "T0ACME"
        self.domain = "acme"
        self.trigger_seconds = TRIGGER_SECONDS
        self.channels: list[Channel] = []
        self.people: list[Person] = []
        self.groups: list[Group] = []
        self.messages: list[Message] = []
        self.ephemerals: list[Ephemeral] = []
        self.views: list[View] = []
        """Every modal that was opened, the newest last."""
        self.homes: dict[str, View] = {}
        self.refused_blocks: set[str] = set()
        self.responses: dict[str, ResponseUrl] = {}
        self.clock = clock
        self.numbers = itertools.count(1)
        self._triggers: dict[str, _Trigger] = {}
        self.people.append(Person(self.bot_user, "errand", self.team_id, bot=True))
        self.people.append(Person("U012AB3CD", "octocat", self.team_id, email="octocat@example.com"))

    def stamp(self) -> str:
        """A time of its own: seconds, and a count instead of microseconds."""
        return f"{int(self.clock())}.{next(self.numbers):06d}"

    def accept(self, kind: str, body: Json) -> None:
        """Say that something was taken."""
        for hear in self.listeners:
            hear(kind, body)

    # Who and where --------------------------------------------------------------------------------

    def who(self, user: object) -> Person | None:
        """Who has that id."""
        return next((each for each in self.people if each.id == user), None)

    def member_of(self, channel: Channel, user: object) -> bool:
        """Whether somebody is in a channel; of a channel that names nobody, everybody is."""
        person = self.who(user)
        if person is None or person.deleted:
            return False
        return channel.people is None or person.id in channel.people

    def channel(self, key: object, *, by_name: bool = False) -> Channel:
        """A channel that the bot may see."""
        for channel in self.channels:
            names = (channel.id, f"#{channel.name}", channel.name) if by_name else (channel.id,)
            if key in names and (channel.member or not channel.private):
                return channel
        raise SlackError("channel_not_found")

    def place(self, id: str) -> Channel:
        """A channel by its id, seen by who is in it; in the real one there are others than were made here."""
        found = next((each for each in self.channels if each.id == id), None)
        return found or Channel(id, "elsewhere", member=False)

    def message(self, channel: str, ts: object) -> Message:
        """A message of a channel, by its time."""
        for message in self.messages:
            if (message.channel, message.ts) == (channel, ts):
                return message
        raise SlackError("message_not_found")

    # What may be done once, or for a while --------------------------------------------------------

    def response_url(self, channel: str, user: str, of: Message | Ephemeral | None = None) -> str:
        """A URL that answers a command or a press of `user` five times within 30 minutes."""
        path = f"/commands/{self.team_id}/{next(self.numbers)}/{secrets.token_hex(12)}"
        self.responses[path] = ResponseUrl(channel, user, self.clock(), of=of)
        return self.url + path

    def trigger(self, user: str, *, view: str | None = None) -> str:
        """A `trigger_id`: what opens a modal for `user`, once and soon; `view` is where they pressed."""
        number = f"{next(self.numbers)}.{int(self.clock())}.{secrets.token_hex(8)}"
        self._triggers[number] = _Trigger(user, self.clock(), view)
        return number

    def exchange(self, trigger: object) -> tuple[str, View | None]:
        """Use a `trigger_id` up; gives whose it was and the view it came from."""
        known = self._triggers.get(trigger) if isinstance(trigger, str) else None
        if known is None:
            raise SlackError("invalid_trigger_id")
        if known.exchanged:
            raise SlackError("exchanged_trigger_id")
        if self.clock() - known.made_at > self.trigger_seconds:
            raise SlackError("expired_trigger_id")
        known.exchanged = True
        return known.user, self.view(known.view) if known.view is not None else None

    def view(self, id: object) -> View | None:
        """A modal or a Home, by its id."""
        every: Iterable[View] = itertools.chain(self.views, self.homes.values())
        return next((each for each in every if each.id == id), None)
