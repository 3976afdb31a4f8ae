"""What payloads of GitHub have in common, read leniently."""

import re
from datetime import datetime

from pydantic import BaseModel

OUTSIDERS = ("NONE", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN")
"""What GitHub calls people who are neither members nor collaborators and had nothing merged so far.

https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
"""

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)


class Repository(BaseModel):
    """The repository that something happened in."""

    full_name: str
    private: bool = True
    default_branch: str = ""
    id: object = None
    owner: object = None
    pushed_at: object = None

    @property
    def owner_number(self) -> int | None:
        """The number of the account that has it."""
        return number_of(self.owner.get("id")) if isinstance(self.owner, dict) else None


class User(BaseModel):
    """Who did it."""

    login: str
    type: str = "User"


def text_at(value: object, *path: str) -> str | None:
    """The text at `path` in nested objects."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def moment_of(value: object) -> float | None:
    """A time of GitHub's (ISO 8601, UTC) in epoch seconds."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def number_of(value: object) -> int | None:
    """A whole number that is more than nothing and fits where it is stored."""
    return value if isinstance(value, int) and 0 < value < 1 << 62 else None
