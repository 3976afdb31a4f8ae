"""A stand-in for Slack: its workspace, its Web API, and the people who use it."""

from demo.slack.inputs import Unfillable
from demo.slack.server import SCOPES, SlackStandIn
from demo.slack.workspace import Channel, Ephemeral, Group, Message, Person, View

__all__ = [
    "SCOPES",
    "Channel",
    "Ephemeral",
    "Group",
    "Message",
    "Person",
    "SlackStandIn",
    "Unfillable",
    "View",
]
