"""Whom `app.yaml` names where it says who may: people, teams, sets of people, tokens and workflows. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.access import workflows

LOGIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
"""How GitHub calls an account."""
_TEAM = r"[a-z0-9_.-]{1,100}"
_SET = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TOKEN = r"[A-Za-z0-9*][A-Za-z0-9._*-]{0,99}"  # noqa: S105 (no secret)
_HANDLE = r"[^\s@/,:\x00-\x20]{1,80}"
LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
"""What GitHub lets somebody do with a repository, each more than the one before.

https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization
"""
_GITHUB = rf"{LOGIN}|@{LOGIN}(?:/{_TEAM})?"
PRINCIPAL = rf"^github:(?:{_GITHUB})$"
"""What those of GitHub look like, for editors."""
SET_NAME = f"^{_SET}$"
"""What a set of `people` may be called."""
MEMBER = (
    rf"^(?:github:(?:{_GITHUB}|permission/(?:{'|'.join(LEVELS[1:])}))"
    rf"|slack:(?:[UW][A-Z0-9]{{2,30}}|@\S{{1,80}})|token:{_TOKEN}|actions:.+|{_SET})$"
)
"""What whoever may be named in `allow`, `deny` and `people` looks like, for editors."""

_PRINCIPAL = re.compile(
    rf"github:(?:permission/(?P<level>[a-z]+)|@(?P<org>{LOGIN})(?:/(?P<team>{_TEAM}))?|(?P<login>{LOGIN}))"
    rf"|slack:(?:(?P<user>[UW][A-Z0-9]{{2,30}})|@(?P<handle>{_HANDLE}))"
    rf"|token:(?P<token>{_TOKEN})|(?P<set>{_SET})"
)

GROUPS = "slack:@"
"""How those begin that name a user group of Slack."""

EXPECTED = "expected github:LOGIN, github:@ORGANISATION or github:@ORGANISATION/TEAM"
EXPECTED_MEMBER = (
    "expected github:LOGIN, github:@ORG, github:@ORG/TEAM, github:permission/write, slack:U..., slack:@group,"
    " token:NAME, actions:OWNER/NAME or the name of a set of people"
)
EXPECTED_LEVEL = f"expected one of {', '.join(LEVELS[1:])} after github:permission/"


class Kind(StrEnum):
    """What a principal names."""

    LOGIN = "login"
    ORG = "org"
    LEVEL = "level"
    USER = "user"
    GROUP = "group"
    TOKEN = "token"  # noqa: S105 (no secret)
    ACTIONS = "actions"
    SET = "set"


PERSONAL = frozenset({Kind.LOGIN, Kind.ORG, Kind.LEVEL, Kind.USER, Kind.GROUP})
"""Those that name people."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody by `name`; of an organisation or one `team` of it by its slug. `text` is how it is written.

    `name` is a login, an organisation, a level, an id or a handle of Slack, a token, a rule of a workflow or
    a set, by `kind`.
    """

    kind: Kind
    name: str
    team: str | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """As it is written."""
        match self.kind:
            case Kind.LOGIN:
                return f"github:{self.name}"
            case Kind.ORG:
                return f"github:@{self.name}" + (f"/{self.team}" if self.team else "")
            case Kind.LEVEL:
                return f"github:permission/{self.name}"
            case Kind.USER:
                return f"slack:{self.name}"
            case Kind.GROUP:
                return f"{GROUPS}{self.name}"
            case Kind.TOKEN:
                return f"token:{self.name}"
            case _:
                return self.name

    def is_login(self, login: str) -> bool:
        """Whether it names this person; GitHub does not tell logins by case."""
        return self.kind is Kind.LOGIN and self.name.casefold() == login.casefold()


def principal(text: str) -> Principal:
    """The people of GitHub that `text` names; `ValueError` with what was expected."""
    match = _PRINCIPAL.fullmatch(text)
    if match is None or not (match["login"] or match["org"]):
        raise ValueError(EXPECTED)
    return _of(match)


def member(text: str) -> Principal:
    """Whom `text` names in `allow`, `deny` or `people`; `ValueError` with what was expected."""
    if text.startswith(workflows.PREFIX):
        workflows.rule(text)
        return Principal(Kind.ACTIONS, text)
    match = _PRINCIPAL.fullmatch(text)
    if match is None:
        raise ValueError(EXPECTED_LEVEL if text.startswith("github:permission/") else EXPECTED_MEMBER)
    if match["level"] is not None and match["level"] not in LEVELS[1:]:
        raise ValueError(EXPECTED_LEVEL)
    return _of(match)


def _of(match: re.Match[str]) -> Principal:
    if match["org"] is not None:
        return Principal(Kind.ORG, match["org"], match["team"])
    for group, kind in _KINDS.items():
        if match[group] is not None:
            return Principal(kind, match[group])
    raise ValueError(EXPECTED_MEMBER)


_KINDS = {
    "level": Kind.LEVEL,
    "login": Kind.LOGIN,
    "user": Kind.USER,
    "handle": Kind.GROUP,
    "token": Kind.TOKEN,
    "set": Kind.SET,
}
