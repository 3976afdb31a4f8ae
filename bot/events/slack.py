"""What Slack sends: slash commands, what is pressed, submitted and chosen, and events.

https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/reference/events
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from bot.events.facts import Ignored
from bot.events.fields import Unreadable
from bot.events.slack_facts import (
    SlackAsker,
    SlackCommand,
    SlackFact,
    SlackForm,
    SlackHome,
    SlackLinks,
    SlackMention,
    SlackPress,
    SlackRevoked,
    SlackShortcut,
    SlackSpot,
)

MAX_FIELDS = 100
"""Form fields that are read of one delivery; Slack sends about fifteen."""
LINKS = 20
"""Links of one message that are read."""
_NEW_MESSAGES = (None, "file_share", "thread_broadcast")
"""Subtypes of messages that somebody has just written: plain, with a file, in a thread and the channel."""
REVOCATIONS = (
    "tokens_revoked",
    "app_uninstalled",
    "channel_archive",
    "group_archive",
    "channel_left",
    "group_left",
)
"""Events after which something cannot go on."""

Json = Mapping[str, Any]


def payload(media_type: str, body: bytes) -> dict[str, Any]:
    """The object that Slack sent: a form's fields, the JSON of its field `payload`, or a JSON body.

    Raises `ValueError` and `RecursionError` for what is none.
    """
    if media_type == "application/json":
        found = json.loads(body)
    else:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        form = {name: values[0] for name, values in fields.items()}
        found = json.loads(form["payload"]) if "payload" in form else form
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def read(sent: Json) -> SlackFact | Ignored:
    """The fact in what Slack sent; raises `Unreadable`."""
    kind = str(sent.get("type") or "command")
    reader = _READERS.get(kind)
    if kind == "event_callback":
        kind = str(_part(sent, "event").get("type"))
        reader = _EVENTS.get(kind)
    return Ignored(f"nothing here listens to Slack's {kind[:60]}") if reader is None else reader(sent)


def read_command(sent: Json) -> SlackCommand:
    """A slash command."""
    spot = SlackSpot(
        _text(sent, "channel_id"),
        str(sent.get("channel_name") or ""),
        thread=_maybe(sent, "thread_ts"),
        response_url=_maybe(sent, "response_url"),
    )
    asker = SlackAsker(_text(sent, "user_id"), _maybe(sent, "team_id"))
    return SlackCommand(_text(sent, "trigger_id"), asker, spot, str(sent.get("text") or ""))


def read_press(sent: Json) -> SlackPress | Ignored:
    """The first of the pressed buttons; Slack sends one at a time."""
    actions = sent.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        raise Unreadable("the payload lacks what is needed, first: actions")
    action: Json = actions[0]
    found = sent.get("view")
    view: Json = found if isinstance(found, dict) else {}
    return SlackPress(
        trigger=_text(sent, "trigger_id"),
        asker=_asker(sent),
        action=_text(action, "action_id"),
        value=_chosen(action) or "",
        at=str(action.get("action_ts") or ""),
        spot=_spot(sent),
        view=_maybe(view, "id"),
        metadata=_maybe(view, "private_metadata") or "",
        is_home=view.get("type") == "home",
    )


def read_form(sent: Json) -> SlackForm:
    """A submitted modal."""
    view = _part(sent, "view")
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    urls = sent.get("response_urls")
    first = urls[0] if isinstance(urls, list) and urls else None
    return SlackForm(
        view=_text(view, "id"),
        asker=_asker(sent),
        callback=str(view.get("callback_id") or ""),
        metadata=str(view.get("private_metadata") or ""),
        values=_inputs(values) if isinstance(values, dict) else {},
        response_url=_maybe(first, "response_url") if isinstance(first, dict) else None,
    )


def read_shortcut(sent: Json) -> SlackShortcut:
    """A global shortcut, or one of a message."""
    return SlackShortcut(_text(sent, "trigger_id"), _asker(sent), _text(sent, "callback_id"), _spot(sent))


def read_mention(sent: Json) -> SlackMention | Ignored:
    """Errand's name in a message of a person."""
    event = _part(sent, "event")
    if event.get("bot_id") or event.get("subtype") not in _NEW_MESSAGES or event.get("edited"):
        return Ignored("a program mentions Errand, or a message was changed")
    spot = SlackSpot(_text(event, "channel"), message=_text(event, "ts"), thread=_maybe(event, "thread_ts"))
    return SlackMention(_text(sent, "event_id"), _author(event), spot, str(event.get("text") or ""))


def read_home(sent: Json) -> SlackHome | Ignored:
    """Home was opened, and not the messages beside it."""
    event = _part(sent, "event")
    if event.get("tab") not in (None, "home"):
        return Ignored("not Home, but what is beside it")
    return SlackHome(_text(sent, "event_id"), _author(event))


def read_links(sent: Json) -> SlackLinks:
    """Links of our domain, in a message or in one that is being written."""
    event = _part(sent, "event")
    links = event.get("links")
    urls = [each.get("url") for each in links if isinstance(each, dict)] if isinstance(links, list) else []
    spot = SlackSpot(
        _text(event, "channel"), message=_maybe(event, "message_ts"), thread=_maybe(event, "thread_ts")
    )
    return SlackLinks(
        _text(sent, "event_id"),
        _author(event),
        spot,
        tuple(url for url in urls if isinstance(url, str))[:LINKS],
        is_draft=event.get("source") == "composer",
        is_shared=sent.get("is_ext_shared_channel") is not False,
    )


def read_revoked(sent: Json) -> SlackRevoked | Ignored:
    """Something was taken away: the bot's token and not only those of people, the app, or a channel."""
    event = _part(sent, "event")
    tokens = event.get("tokens")
    if isinstance(tokens, dict) and not tokens.get("bot"):
        return Ignored("tokens of people, which Errand has none of")
    return SlackRevoked(_text(sent, "event_id"), _text(event, "type"), _maybe(event, "channel"))


_READERS: Mapping[str, Callable[[Json], SlackFact | Ignored]] = {
    "command": read_command,
    "block_actions": read_press,
    "view_submission": read_form,
    "shortcut": read_shortcut,
    "message_action": read_shortcut,
}
_EVENTS: Mapping[str, Callable[[Json], SlackFact | Ignored]] = {
    "app_mention": read_mention,
    "app_home_opened": read_home,
    "link_shared": read_links,
    **dict.fromkeys(REVOCATIONS, read_revoked),
}


def _inputs(values: Json) -> dict[str, str | tuple[str, ...] | None]:
    """The inputs by their block: each block of a form has one."""
    found: dict[str, str | tuple[str, ...] | None] = {}
    for block, actions in values.items():
        if isinstance(actions, dict):
            for element in actions.values():
                found[block] = _entry(element) if isinstance(element, dict) else None
    return found


def _entry(element: Json) -> str | tuple[str, ...] | None:
    several = element.get("selected_options")
    if isinstance(several, list):
        return tuple(str(each.get("value")) for each in several if isinstance(each, dict))
    return _chosen(element)


def _chosen(element: Json) -> str | None:
    """What was typed, chosen or is the value of a button."""
    option = element.get("selected_option")
    if isinstance(option, dict):
        return _maybe(option, "value")
    for name in ("value", "selected_date", "selected_time", "selected_conversation", "selected_user"):
        if (found := _maybe(element, name)) is not None:
            return found
    moment = element.get("selected_date_time")
    return str(moment) if isinstance(moment, int) else None


def _spot(sent: Json) -> SlackSpot | None:
    """The message that was pressed or chosen, None on Home and in a modal."""
    channel, container, message = sent.get("channel"), sent.get("container"), sent.get("message")
    if not isinstance(channel, dict):
        return None
    about: Json = container if isinstance(container, dict) else {}
    inside: Json = message if isinstance(message, dict) else {}
    ts = _maybe(about, "message_ts") or _maybe(sent, "message_ts") or _maybe(inside, "ts")
    thread = _maybe(about, "thread_ts") or _maybe(inside, "thread_ts")
    return SlackSpot(
        _text(channel, "id"),
        str(channel.get("name") or ""),
        message=ts,
        thread=None if thread == ts else thread,  # of a message that has answers it is its own
        response_url=_maybe(sent, "response_url"),
        ephemeral=about.get("is_ephemeral") is True,
    )


def _asker(sent: Json) -> SlackAsker:
    user, team = _part(sent, "user"), sent.get("team")
    own = _maybe(team, "id") if isinstance(team, dict) else None
    return SlackAsker(_text(user, "id"), _maybe(user, "team_id") or own)


def _author(event: Json) -> SlackAsker:
    return SlackAsker(_text(event, "user"), _maybe(event, "user_team") or _maybe(event, "team"))


def _part(sent: Json, name: str) -> Json:
    found = sent.get(name)
    if not isinstance(found, dict):
        raise Unreadable(f"the payload lacks what is needed, first: {name}")
    return found


def _text(sent: Json, name: str) -> str:
    found = _maybe(sent, name)
    if found is None:
        raise Unreadable(f"the payload lacks what is needed, first: {name}")
    return found


def _maybe(sent: Json, name: str) -> str | None:
    found = sent.get(name)
    return found if isinstance(found, str) and found else None
