"""The kinds of secrets that Slack gives out, told apart by how they begin.

https://docs.slack.dev/authentication/tokens
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What `slack` of app.yaml holds, by its key there."""

    BOT_TOKEN = "bot_token"  # noqa: S105
    APP_TOKEN = "app_token"  # noqa: S105
    SIGNING_SECRET = "signing_secret"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Look:
    """What one is called, where its page in the settings of the app is, and how it begins, if that tells."""

    name: str
    page: str
    prefix: str = ""

    def __str__(self) -> str:
        begins = f", which begins with {self.prefix}" if self.prefix else ""
        return f"the {self.name}{begins} (on the app's page: {self.page})"


LOOKS: Mapping[Kind, Look] = {
    Kind.BOT_TOKEN: Look("Bot User OAuth Token", "OAuth & Permissions", "xoxb-"),
    Kind.APP_TOKEN: Look("App-Level Token", "Basic Information", "xapp-"),
    Kind.SIGNING_SECRET: Look("Signing Secret", "Basic Information"),
}
_OTHERS: Mapping[str, str] = {
    "xoxb-": "a bot's token",
    "xapp-": "an app-level token",
    "xoxp-": "a person's token",
    "xoxe.": "a token that ends after twelve hours: token rotation is on, and only another app is without it",
    "xoxe-": "what tokens are renewed with",
    "xoxa-": "a token of the old workspace apps",
    "xoxr-": "what tokens of the old workspace apps are renewed with",
    "xoxc-": "a browser's token",
    "xoxd-": "a browser's cookie",
    "xoxs-": "a session's token",
}
"""What else begins with something of its own."""


def mistake(kind: Kind, text: str) -> str | None:
    """Why `text` is no secret of this kind, in words that do not show it; None where it may be one."""
    look, begun = LOOKS[kind], text.strip()
    if not all("!" <= character <= "~" for character in begun):
        return f"needed here is {look}; this holds a character that none has"
    if begun.startswith(look.prefix) if look.prefix else not begun.startswith(tuple(_OTHERS)):
        return None
    what = next(
        (f"; this is {name} ({start}…)" for start, name in _OTHERS.items() if begun.startswith(start)), ""
    )
    return f"needed here is {look}{what}"
