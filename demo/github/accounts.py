"""Whose things are: the App, where it is installed, organizations, and tokens."""

import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Registered:
    """An App that somebody agreed to make of a manifest, for an owner."""

    manifest: dict[str, Any]
    owner: str
    at: float


@dataclass(slots=True)
class Installation:
    """An App's installation on an account; `repositories` None: all of the account's."""

    id: int
    account: str
    permissions: dict[str, str]
    repositories: set[str] | None = None
    events: list[str] | None = None  # None: all that the App hears
    suspended_at: float | None = None


@dataclass(slots=True)
class Organization:
    """Members by login, with the addresses that each has verified; the domains that it has verified."""

    domains: set[str]
    members: dict[str, list[str]] = field(default_factory=dict)
    teams: dict[str, dict[str, str]] = field(default_factory=dict)  # by slug: login to active or pending
    parents: dict[str, str] = field(default_factory=dict)  # the slug of the team above, by that of the team


@dataclass(frozen=True, slots=True)
class Token:
    """A token: an installation's (with an end and perhaps fewer rights) or a person's."""

    text: str
    login: str
    installation: int | None = None
    permissions: dict[str, str] | None = None
    repositories: frozenset[str] | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """That somebody agreed to log in by the App: what becomes a token once, with what it has to fit."""

    login: str
    callback: str
    challenge: str | None  # of PKCE, with S256
    at: float


@dataclass(slots=True)
class Device:
    """A login from a terminal that waits for somebody's yes; `interval` grows with every hurry."""

    user_code: str
    at: float
    interval: int = 5
    asked_at: float | None = None
    login: str | None = None  # who said yes
    is_denied: bool = False


@dataclass(slots=True)
class Client:
    """The App as people log in by it; `callbacks` are the addresses that a browser may be sent back to.

    `tokens` are those that it was given for people, `grants` what may still become one, by its code;
    `devices` are logins from terminals by the code of each, where that is enabled.
    """

    id: str = "Iv1.8a61f9b3a7aba766"
    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    callbacks: list[str] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    devices: dict[str, Device] = field(default_factory=dict)
    has_device_flow: bool = True
