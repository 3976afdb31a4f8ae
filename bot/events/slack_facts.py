"""What Slack tells of, as handlers take it.

Ids are Slack's: `U…` people, `C…` channels, `T…` workspaces; a message is known by its `ts` in its channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SlackAsker:
    """Who did it; `team` is the workspace that they are of, None where Slack does not say."""

    user: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class SlackSpot:
    """Where it was done: a channel by id and by name, with the message and the thread there, if any.

    `response_url` reaches who did it for half an hour; `ephemeral`: the message is seen by them alone.
    """

    channel: str
    name: str = ""
    message: str | None = None
    thread: str | None = None
    response_url: str | None = None
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class SlackCommand:
    """A person typed a slash command; `text` is what followed its first word."""

    trigger: str
    asker: SlackAsker
    spot: SlackSpot
    text: str


@dataclass(frozen=True, slots=True)
class SlackPress:
    """A person pressed the button `action` with its `value`, in a message or (`spot` is None) on Home.

    `at` is when, as Slack writes it; `view` is what it was pressed in, where that is no message, and
    `metadata` what was put into that.
    """

    trigger: str
    asker: SlackAsker
    action: str
    value: str
    at: str
    spot: SlackSpot | None = None
    view: str | None = None
    metadata: str = ""
    is_home: bool = False


@dataclass(frozen=True, slots=True)
class SlackForm:
    """A person submitted the modal `view`; `values` are its inputs by the id of their block.

    An empty input is None, one of which several can be chosen a tuple. `metadata` is what was put into the
    modal when it was opened; `response_url` reaches them in the channel that they chose in it, if any.
    """

    view: str
    asker: SlackAsker
    callback: str
    metadata: str
    values: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    response_url: str | None = None


@dataclass(frozen=True, slots=True)
class SlackShortcut:
    """A person chose a shortcut, that of a message where `spot` is there."""

    trigger: str
    asker: SlackAsker
    callback: str
    spot: SlackSpot | None = None


@dataclass(frozen=True, slots=True)
class SlackMention:
    """A person mentioned Errand; `text` is the whole message as Slack has it, `id` is that of the event."""

    id: str
    asker: SlackAsker
    spot: SlackSpot
    text: str


@dataclass(frozen=True, slots=True)
class SlackHome:
    """A person opened Errand's Home."""

    id: str
    asker: SlackAsker


@dataclass(frozen=True, slots=True)
class SlackLinks:
    """A message with links to Errand's pages was written, or `is_draft`: nobody has sent it yet.

    `is_shared`: another organisation reads the channel.
    """

    id: str
    asker: SlackAsker
    spot: SlackSpot
    links: tuple[str, ...]
    is_draft: bool = False
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class SlackRevoked:
    """Slack will not go on: `what` is its name of the event, such as `tokens_revoked`."""

    id: str
    what: str
    channel: str | None = None


SlackFact = (
    SlackCommand
    | SlackPress
    | SlackForm
    | SlackShortcut
    | SlackMention
    | SlackHome
    | SlackLinks
    | SlackRevoked
)
