"""The app as its manifest makes it: what it may, what it hears of, and what people find of it.

https://docs.slack.dev/reference/app-manifest, https://docs.slack.dev/reference/events
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo.slack.workspace import Json

_READS = {"channel": "channels:read", "group": "groups:read"}
_SCOPES = {
    "app_mention": "app_mentions:read",
    "link_shared": "links:read",
    **{f"{place}_{what}": scope for place, scope in _READS.items() for what in ("archive", "left", "rename")},
}
"""The scope that an event needs."""


@dataclass(frozen=True, slots=True)
class App:
    """What a manifest says. `ValueError` where Slack would not make an app of it."""

    scopes: frozenset[str]
    events: frozenset[str]
    commands: frozenset[str]
    shortcuts: frozenset[tuple[str, str]]
    """Their types (`global`, `message`) and callback ids."""
    domains: frozenset[str]
    home: bool
    interactive: bool
    suggests: bool
    """It is asked for the options of menus."""
    sockets: bool

    @classmethod
    def read(cls, manifest: Json) -> "App":
        """The app that Slack makes of a manifest."""
        wrong = list(_mistakes(manifest))
        if wrong:
            raise ValueError("; ".join(wrong))
        features, settings = manifest["features"], manifest["settings"]
        interactivity = settings.get("interactivity", {})
        sockets = settings.get("socket_mode_enabled", False)
        return cls(
            scopes=frozenset(manifest["oauth_config"]["scopes"]["bot"]),
            events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", [])),
            commands=frozenset(each["command"] for each in features.get("slash_commands", [])),
            shortcuts=frozenset(
                (each["type"], each["callback_id"]) for each in features.get("shortcuts", [])
            ),
            domains=frozenset(features.get("unfurl_domains", [])),
            home=features.get("app_home", {}).get("home_tab_enabled", False),
            interactive=interactivity.get("is_enabled", False),
            suggests=sockets or "message_menu_options_url" in interactivity,
            sockets=sockets,
        )


def _mistakes(manifest: Json) -> Iterator[str]:
    """What Slack has against a manifest."""
    features, settings = manifest["features"], manifest["settings"]
    about, bot = manifest["display_information"], features["bot_user"]
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    yield from _long("display_information", about, name=35, description=140)
    if not re.fullmatch(r"[a-z0-9._-]{1,80}", bot["display_name"]):
        yield f"bot_user: {bot['display_name']} is no name"
    for command in features.get("slash_commands", []):
        yield from _long(command["command"], command, command=32, description=2000, usage_hint=1000)
        if not re.fullmatch(r"/[^\sA-Z]+", command["command"]):
            yield f"{command['command']} is no slash command"
    for shortcut in features.get("shortcuts", []):
        yield from _long(shortcut["callback_id"], shortcut, name=24, callback_id=255, description=150)
    if (features.get("slash_commands") or features.get("shortcuts")) and "commands" not in scopes:
        yield "slash commands and shortcuts need the scope commands"
    events = settings.get("event_subscriptions", {})
    for event in events.get("bot_events", []):
        needed = _SCOPES.get(event)
        if needed is not None and needed not in scopes:
            yield f"{event} needs the scope {needed}"
    if len(features.get("unfurl_domains", [])) > 5:
        yield "no more than 5 unfurl_domains"
    if not settings.get("socket_mode_enabled"):
        yield from _addresses(features, settings)


def _long(where: str, values: Json, **limits: int) -> Iterator[str]:
    for name, most in limits.items():
        if len(values.get(name, "")) > most:
            yield f"{where}: {name} is longer than {most} characters"


def _addresses(features: Json, settings: Json) -> Iterator[str]:
    """Without Socket Mode whatever is sent needs an address to go to."""
    urls: dict[str, Any] = {each["command"]: each.get("url") for each in features.get("slash_commands", [])}
    parts = ("event_subscriptions", "interactivity")
    urls |= {name: settings[name].get("request_url") for name in parts if name in settings}
    for name, url in urls.items():
        if not str(url).startswith("https://"):
            yield f"{name} has no address"
