"""Whom `app.yaml` names where it says who may: `github:LOGIN`, `github:@ORG`, `github:@ORG/TEAM`. Pure."""

import re
from dataclasses import dataclass

_LOGIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
PRINCIPAL = rf"^github:(?:{_LOGIN}|@{_LOGIN}(?:/[a-z0-9_.-]{{1,100}})?)$"
"""What one looks like, for editors."""
_PRINCIPAL = re.compile(
    rf"github:(?:(?P<login>{_LOGIN})|@(?P<org>{_LOGIN})(?:/(?P<team>[a-z0-9_.-]{{1,100}}))?)"
)

EXPECTED = "expected github:LOGIN, github:@ORGANISATION or github:@ORGANISATION/TEAM"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person by `login`, or those of an organisation (`org`), or of one `team` of it by its slug."""

    login: str | None = None
    org: str | None = None
    team: str | None = None

    def __str__(self) -> str:
        if self.org is None:
            return f"github:{self.login}"
        return f"github:@{self.org}" + (f"/{self.team}" if self.team else "")

    def is_login(self, login: str) -> bool:
        """Whether it names this person; GitHub does not tell logins by case."""
        return self.login is not None and self.login.casefold() == login.casefold()


def principal(text: str) -> Principal:
    """What `text` names; `ValueError` with what was expected."""
    match = _PRINCIPAL.fullmatch(text)
    if match is None:
        raise ValueError(EXPECTED)
    return Principal(match["login"], match["org"], match["team"])
