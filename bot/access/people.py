"""Who is who: one person under several names, and what somebody in Slack is to the workspace. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum

from bot.states import ActorKind

MEMBER_ID = r"[UW][A-Z0-9]{2,30}"
"""How Slack calls somebody."""
_MEMBER_ID = re.compile(MEMBER_ID)
"""What Slack calls people by; no login of GitHub is written so here, see `login_name`."""


class Membership(StrEnum):
    """What is known of somebody in Slack to whom no account of GitHub belongs: why they may nothing."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    PROGRAM = "program"
    GONE = "gone"
    UNKNOWN = "unknown"
    UNCONFIRMED = "unconfirmed"
    ELSEWHERE = "elsewhere"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    TAKEN = "taken"


OUTSIDE = frozenset({Membership.GUEST, Membership.STRANGER, Membership.PROGRAM, Membership.GONE})
"""Those who are no members of the workspace, or no longer."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9.-]{1,253})")
"""Plain addresses: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address"""

ADD = "Somebody who runs this installation can add you to `slack.people`."
"""What helps all of them."""

_UNKNOWN = "I do not know who you are on GitHub, so I cannot tell what you may run."
SENTENCES: Mapping[Membership, str] = {
    Membership.MEMBER: f"{_UNKNOWN} {ADD}",
    Membership.UNKNOWN: f"{_UNKNOWN} {ADD}",
    Membership.GUEST: f"You are a guest of this Slack workspace, and guests may run nothing here. {ADD}",
    Membership.STRANGER: (
        "You are of another Slack workspace, and people of other workspaces may run nothing here, also in a"
        f" channel that is shared with them. {ADD}"
    ),
    Membership.PROGRAM: f"Programs in Slack may run nothing here. {ADD}",
    Membership.GONE: "Slack says that your account was deactivated, so you may run nothing here.",
    Membership.UNCONFIRMED: f"Slack has not confirmed your e-mail address, so it says not who you are. {ADD}",
    Membership.ELSEWHERE: (
        f"By the e-mail address that you have in Slack, nobody is known here (`slack.email_domains`). {ADD}"
    ),
    Membership.UNMATCHED: (
        "No member of our organizations on GitHub has verified the e-mail address that you have in Slack."
        " Add it to your account there, or ask to be added to `slack.people`."
    ),
    Membership.TAKEN: (
        "The account on GitHub that has your e-mail address is somebody else's by `slack.people`."
    ),
    Membership.AMBIGUOUS: f"Several accounts on GitHub have the e-mail address that you have in Slack. {ADD}",
}
"""What each is told (Markdown)."""

IN_WORDS: Mapping[Membership, str] = {
    Membership.GUEST: "guest",
    Membership.STRANGER: "of another workspace",
    Membership.PROGRAM: "program",
    Membership.GONE: "deactivated",
}
"""What stands in brackets behind the name of somebody who is no plain member."""


def domain_of(address: str) -> str | None:
    """The domain of a plain address, in lower case; None for all that could be read in two ways."""
    plain = _ADDRESS.fullmatch(address)
    return plain[1].lower() if plain is not None else None


def is_member_id(name: str) -> bool:
    """Whether that is how Slack calls somebody."""
    return _MEMBER_ID.fullmatch(name) is not None


def login_name(login: str) -> str:
    """A login of GitHub as actors carry it: one that looks like a member id of Slack is written small."""
    return login.lower() if is_member_id(login) else login


def identity(actor: str) -> str:
    """By what a person is known whatever door they came through; two actors with one identity are one person.

    Somebody in Slack whose account of GitHub is known is that account. Tokens, hooks, workflows and schedules
    are themselves, and so is somebody in Slack of whom only the member id is known.
    """
    kind, _, name = actor.partition(":")
    if kind == ActorKind.SLACK and is_member_id(name):
        return actor
    if kind in (ActorKind.GITHUB, ActorKind.SLACK) and name:
        return ActorKind.GITHUB.named(name.lower())
    return actor


def is_same(one: str, other: str) -> bool:
    """Whether two actors are one person."""
    return identity(one) == identity(other)


def names_of(actor: str) -> tuple[str, ...]:
    """The actors that are the same person as `actor`, in lower case where they are logins of GitHub."""
    person = identity(actor)
    if person == actor and not actor.startswith(f"{ActorKind.GITHUB}:"):
        return (actor,)
    login = person.partition(":")[2]
    return (ActorKind.GITHUB.named(login), ActorKind.SLACK.named(login))
