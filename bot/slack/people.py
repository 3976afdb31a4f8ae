"""People and user groups as Slack tells of them.

https://docs.slack.dev/reference/objects/user-object, https://docs.slack.dev/reference/objects/usergroup-object
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.access.people import Membership

_PROGRAMS = ("is_bot", "is_workflow_bot", "is_connector_bot")


@dataclass(frozen=True, slots=True)
class Home:
    """Where the bot is installed: the workspace, and the organisation that has it, empty where none does."""

    team: str
    enterprise: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One user. `email` is None without the scope `users:read.email`; `tz` is a name such as `Europe/Berlin`.

    `name` is what people call them, `real_name` their full one. A guest is let into some channels only; a
    stranger comes from another organisation, and is seen because a channel is shared with it. `teams` are all
    workspaces that they are of, with the organisation that these are of.
    """

    id: str
    team: str
    teams: frozenset[str]
    name: str
    real_name: str
    email: str | None
    is_email_confirmed: bool
    tz: str | None
    tz_offset: int
    is_bot: bool
    is_deleted: bool
    is_guest: bool
    is_stranger: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A user group; `handle` is what is typed after the @, without it."""

    id: str
    team: str
    handle: str
    name: str
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as the bot sees it; `is_shared`: another organisation reads it, or is invited to."""

    id: str
    name: str
    is_member: bool
    is_private: bool
    is_archived: bool
    is_shared: bool


def person_of(user: Mapping[str, Any], home: Home) -> Person:
    """Reads a user object.

    Who is neither of the workspace `home` nor of its organisation is a stranger, whatever `is_stranger` says:
    Slack says so only of those with whom the bot shares no channel.
    https://docs.slack.dev/apis/slack-connect, https://docs.slack.dev/enterprise
    """
    profile = _object(user.get("profile"))
    teams = _teams(user)
    offset = user.get("tz_offset")
    return Person(
        id=_text(user, "id"),
        team=_text(user, "team_id"),
        teams=teams,
        name=_text(profile, "display_name") or _text(profile, "real_name") or _text(user, "name"),
        real_name=_text(profile, "real_name") or _text(user, "real_name"),
        email=_text(profile, "email") or None,
        is_email_confirmed=user.get("is_email_confirmed") is True,
        tz=_text(user, "tz") or None,
        tz_offset=offset if isinstance(offset, int) else 0,
        is_bot=any(user.get(name) is True for name in _PROGRAMS) or user.get("id") == "USLACKBOT",
        is_deleted=user.get("deleted") is True,
        is_guest=user.get("is_restricted") is True or user.get("is_ultra_restricted") is True,
        is_stranger=user.get("is_stranger") is True or teams.isdisjoint({home.team, home.enterprise}),
    )


def _teams(user: Mapping[str, Any]) -> frozenset[str]:
    enterprise = _object(user.get("enterprise_user"))
    named = [user.get("team_id"), enterprise.get("enterprise_id"), *_list(enterprise.get("teams"))]
    return frozenset(each for each in named if isinstance(each, str) and each)


def membership(person: Person, home: Home, team: str | None = None) -> Membership:
    """What somebody is to the workspace.

    `team` is the workspace that a request of theirs names; where it is none of theirs, the lesser counts.
    """
    if person.is_deleted:
        return Membership.GONE
    if person.is_bot:
        return Membership.PROGRAM
    if person.is_stranger or (team is not None and team not in {home.team, home.enterprise, *person.teams}):
        return Membership.STRANGER
    return Membership.GUEST if person.is_guest else Membership.MEMBER


def group_of(group: Mapping[str, Any]) -> Group:
    """Reads a user group; one with a `date_delete` is disabled."""
    return Group(
        id=_text(group, "id"),
        team=_text(group, "team_id"),
        handle=_text(group, "handle"),
        name=_text(group, "name"),
        is_disabled=bool(group.get("date_delete")),
    )


def channel_of(channel: Mapping[str, Any]) -> Channel:
    """Reads a conversation object: https://docs.slack.dev/reference/objects/conversation-object."""
    return Channel(
        id=_text(channel, "id"),
        name=_text(channel, "name"),
        is_member=channel.get("is_member") is True,
        is_private=channel.get("is_private") is True,
        is_archived=channel.get("is_archived") is True,
        is_shared=any(channel.get(name) is True for name in ("is_ext_shared", "is_pending_ext_shared")),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
