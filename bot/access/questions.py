"""What has to be known of somebody before a rule can say whether they may. Pure: asked by `bot.handlers`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PermissionOn:
    """What GitHub lets them do with a repository: a level of `bot.access.principals`."""

    repository: str


@dataclass(frozen=True, slots=True)
class MemberOf:
    """Whether they are of an organisation of GitHub, or of a team of it; names in small letters."""

    organization: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class InGroup:
    """Whether they are in a user group of Slack, by its handle in small letters."""

    handle: str


Question = PermissionOn | MemberOf | InGroup
Facts = Mapping[Question, str | bool]
"""The answers that there are: a level, or yes and no."""

UNKNOWABLE = "unknowable"
"""The answer where GitHub or Slack does not let Errand ask: it lets nobody in, and keeps out by `deny`."""
