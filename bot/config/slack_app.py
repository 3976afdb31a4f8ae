"""The Slack app that an `app.yaml` needs: its scopes, its events, and its manifest.

https://docs.slack.dev/reference/app-manifest and https://docs.slack.dev/reference/scopes
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from bot.access.principals import Kind
from bot.config.config import Config
from bot.config.github_app import is_public
from bot.config.settings import Slack
from executor.kubernetes.installing.writing import yaml

DOOR = "/webhooks/slack"
"""Where Slack sends everything to, below the address of the installation."""
PAGE = "https://api.slack.com/apps"
"""Where people see their apps, and make one."""
API: str = Slack.model_fields["api_url"].default
"""The Web API of Slack itself."""
CONNECTIONS = "connections:write"
"""The one scope of an app token."""
NAME = "errand"
"""What the bot is called, and mentioned by."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Something that the bot may do: `reason` says what for, `needed` whether this file asks for it."""

    name: str
    reason: str
    needed: Callable[[Config], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the app hears of, with the scope that Slack wants for it, if any."""

    name: str
    reason: str
    scope: str | None = None


def _unfolds(config: Config) -> bool:
    """Whether Slack can know links of this installation: it registers domains, and no ports or addresses."""
    host = urlsplit(config.url).hostname or ""
    return _is_known(config.url) and "." in host and not _is_address(host)


def _knows_emails(config: Config) -> bool:
    return config.slack is not None and bool(config.slack.email_domains)


def _calls_groups(config: Config) -> bool:
    """Whether a user group is named by its handle, which only Slack knows the id and the members of."""
    called = any(who.startswith("slack:@") for job in config.jobs.values() for who in job.notify.who)
    return called or any(each.kind is Kind.GROUP for each in config.named)


SCOPES = (
    Scope("commands", "the slash command and the shortcuts"),
    Scope("chat:write", "posts and edits messages, in channels that it was invited to"),
    Scope("app_mentions:read", "hears `@errand run ...`"),
    Scope(
        "channels:history", "after a crash: looks whether a message was posted, so that it is not there twice"
    ),
    Scope("groups:history", "the same in private channels"),
    Scope("channels:read", "finds channels by name, and knows whether another organisation is in one"),
    Scope("groups:read", "the same for private channels"),
    Scope("users:read", "tells guests and people of other workspaces from members"),
    Scope("users:read.email", "knows members by their verified e-mail address", _knows_emails),
    Scope("usergroups:read", "finds the user groups that `notify.who` and rules name", _calls_groups),
    Scope("links:read", "hears of links to its pages", _unfolds),
    Scope("links:write", "unfolds them", _unfolds),
)
"""All that Errand ever asks for."""

EVENTS = (
    Event("app_home_opened", "somebody looks at the Home"),
    Event("app_mention", "somebody mentions the bot", "app_mentions:read"),
    Event("app_uninstalled", "the app was taken out of the workspace"),
    Event("channel_archive", "a channel was archived", "channels:read"),
    Event("channel_left", "the bot was taken out of a channel", "channels:read"),
    Event("group_archive", "a private channel was archived", "groups:read"),
    Event("group_left", "the bot was taken out of a private channel", "groups:read"),
    Event("link_shared", "somebody posts a link to a page", "links:read"),
    Event("tokens_revoked", "the bot token was revoked"),
)


def scopes(config: Config) -> tuple[Scope, ...]:
    """The scopes of the bot that this file needs."""
    return tuple(each for each in SCOPES if each.needed(config))


def events(config: Config) -> tuple[str, ...]:
    """The events that this file needs, sorted."""
    names = {each.name for each in scopes(config)}
    return tuple(each.name for each in EVENTS if each.scope is None or each.scope in names)


def reaches(config: Config) -> bool:
    """Whether Slack may reach the installation: over https, on a host that is not of this machine or net."""
    host = urlsplit(config.url).hostname or ""
    is_named = "." in host and not _is_address(host)
    is_known = _is_known(config.url) and (is_named or (_is_address(host) and ip_address(host).is_global))
    return is_known and config.url.startswith("https://")


def is_socket(config: Config) -> bool:
    """Whether Slack is to send through a connection of Errand's: as configured, or as nothing else works."""
    slack = config.slack
    return (slack is not None and slack.app_token is not None) or not reaches(config)


def word(config: Config) -> str:
    """The slash command: Slack's begin with a slash and are in lower case, whatever `command` is."""
    return "/" + config.command.lstrip("/!.").lower()


def manifest(config: Config) -> dict[str, object]:
    """What Slack makes the app of."""
    door = {} if is_socket(config) else {"url": config.url + DOOR}
    request = {} if is_socket(config) else {"request_url": config.url + DOOR}
    menus = {} if is_socket(config) else {"message_menu_options_url": config.url + DOOR}
    features: dict[str, object] = {
        "bot_user": {"display_name": NAME, "always_online": True},
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
        "slash_commands": [
            {
                "command": word(config),
                **door,
                "description": "Run a job, stop one, see how it went",
                "usage_hint": "run NAME [KEY=VALUE ...] | status | list | help",
                "should_escape": False,
            }
        ],
        "shortcuts": _SHORTCUTS,
    }
    if _unfolds(config):
        features["unfurl_domains"] = [urlsplit(config.url).hostname]
    return {
        "display_information": {
            "name": "Errand",
            "description": "Runs the team's jobs and says how they went",
        },
        "features": features,
        "oauth_config": {"scopes": {"bot": [each.name for each in scopes(config)]}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(events(config))},
            "interactivity": {"is_enabled": True, **request, **menus},
            "org_deploy_enabled": False,
            "socket_mode_enabled": is_socket(config),
            "token_rotation_enabled": False,
        },
    }


def written(config: Config) -> str:
    """The manifest as YAML, with what each scope is for."""
    width = max(len(each.name) for each in SCOPES)
    reasons = "".join(f"#   {each.name:{width}}  {each.reason}\n" for each in scopes(config))
    return f"{_HEADING}{reasons}{yaml(manifest(config))}"


_HEADING = f"""\
# A Slack app for Errand: {PAGE}, "Create New App", "From a manifest".
# What the bot may do, and why:
"""

_SHORTCUTS: list[Mapping[str, str]] = [
    {
        "name": "Run a job",
        "type": "global",
        "callback_id": "run_job",
        "description": "Choose a job, fill in its parameters, and run it",
    },
    {
        "name": "Run a job here",
        "type": "message",
        "callback_id": "run_job_here",
        "description": "Run a job and have its answer below this message",
    },
]


def link(made: Mapping[str, object]) -> str:
    """The page that makes an app of this manifest, filled in; about two thousand characters."""
    text = json.dumps(made, separators=(",", ":"))
    return f"{PAGE}?new_app=1&manifest_json={quote(text, safe=':,/')}"


def _is_known(url: str) -> bool:
    """Whether the world may know the name: these domains of the top are nobody's, and used inside of nets.

    https://www.rfc-editor.org/rfc/rfc6762#appendix-G and https://www.rfc-editor.org/rfc/rfc2606#section-2
    """
    host = urlsplit(url).hostname or ""
    return is_public(url) and not host.endswith(_PRIVATE)


_PRIVATE = (".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa", ".test", ".example")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
