"""What Slack sends when a person does something. https://docs.slack.dev/reference/interaction-payloads"""

from collections.abc import Iterator

from demo.slack.inputs import Element, elements
from demo.slack.shapes import message_shape, view_shape, with_block_ids
from demo.slack.workspace import Ephemeral, Json, Message, Person, View, Workspace

TOKEN = "unused-verification-token"


class Interactions:
    """Makes payloads; nothing is sent."""

    def __init__(self, workspace: Workspace) -> None:
        self._in = workspace

    def command(self, text: str, *, user: Person, channel: str, command: str = "/job") -> dict[str, str]:
        """https://docs.slack.dev/interactivity/implementing-slash-commands"""
        return {
            "token": TOKEN,
            "team_id": user.team,
            "team_domain": self._in.domain,
            "channel_id": channel,
            "channel_name": self._channel_name(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self._in.app_id,
            "is_enterprise_install": "false",
            "response_url": self._in.response_url(channel, user.id),
            "trigger_id": self._in.trigger(user.id),
        }

    def block_actions(
        self, on: Message | Ephemeral | View, element: Element, state: Json, user: Person
    ) -> Json:
        """An element of a message or a view that somebody used; `state` is what it says now."""
        content = element.content
        says = ("text", "value", "style", "confirm") if content["type"] == "button" else ()
        action = {
            "type": content["type"],
            "action_id": content["action_id"],
            "block_id": element.block_id,
            **{name: content[name] for name in says if name in content},
            **state,
            "action_ts": self._in.stamp(),
        }
        view = on.id if isinstance(on, View) else None
        return {
            "type": "block_actions",
            **self._about(user),
            "trigger_id": self._in.trigger(user.id, view=view),
            **self._surface(on, user, pressed=True),
            "actions": [action],
        }

    def block_suggestion(
        self, on: Message | Ephemeral | View, element: Element, query: str, user: Person
    ) -> Json:
        """A menu asks for the options that fit what somebody has typed."""
        return {
            "type": "block_suggestion",
            **self._about(user),
            **self._surface(on, user, pressed=False),
            "action_id": element.content["action_id"],
            "block_id": element.block_id,
            "value": query,
        }

    def view_submission(self, view: View, user: Person) -> Json:
        """A modal that somebody sent."""
        return {
            "type": "view_submission",
            **self._about(user),
            "trigger_id": self._in.trigger(user.id, view=view.id),
            "view": view_shape(self._in, view),
            "response_urls": list(self._response_urls(view, user)),
        }

    def _response_urls(self, view: View, user: Person) -> Iterator[Json]:
        """Where the app may answer: in each channel that was chosen in a menu which asks for that."""
        for element in elements(view.blocks):
            content = element.content
            state = view.values.get(element.block_id, {}).get(content["action_id"], {})
            channel = state.get("selected_conversation") or state.get("selected_channel")
            if content.get("response_url_enabled") and channel:
                yield {
                    "block_id": element.block_id,
                    "action_id": content["action_id"],
                    "channel_id": channel,
                    "response_url": self._in.response_url(channel, user.id),
                }

    def view_closed(self, view: View, user: Person) -> Json:
        """A modal that somebody closed, whose app wants to know."""
        shape = view_shape(self._in, view)
        return {"type": "view_closed", **self._about(user), "view": shape, "is_cleared": False}

    def shortcut(self, callback_id: str, user: Person) -> Json:
        """A global shortcut."""
        return {
            "type": "shortcut",
            **self._about(user),
            "callback_id": callback_id,
            "action_ts": self._in.stamp(),
            "trigger_id": self._in.trigger(user.id),
        }

    def message_action(self, callback_id: str, message: Message, user: Person) -> Json:
        """A shortcut of a message."""
        return {
            "type": "message_action",
            **self._about(user),
            "callback_id": callback_id,
            "action_ts": self._in.stamp(),
            "trigger_id": self._in.trigger(user.id),
            "response_url": self._in.response_url(message.channel, user.id),
            "message_ts": message.ts,
            "channel": {"id": message.channel, "name": self._channel_name(message.channel)},
            "message": message_shape(self._in, message),
        }

    def _about(self, user: Person) -> Json:
        who = {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team}
        return {
            "user": who,
            "team": {"id": self._in.team_id, "domain": self._in.domain},
            "api_app_id": self._in.app_id,
            "token": TOKEN,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _surface(self, on: Message | Ephemeral | View, user: Person, *, pressed: bool) -> Json:
        """Where it happened; ephemeral messages are not shown again."""
        if isinstance(on, View):
            return {"container": {"type": "view", "view_id": on.id}, "view": view_shape(self._in, on)}
        ephemeral = isinstance(on, Ephemeral)
        container: Json = {
            "type": "message",
            "message_ts": on.ts,
            "channel_id": on.channel,
            "is_ephemeral": ephemeral,
        }
        if on.thread_ts is not None:
            container["thread_ts"] = on.thread_ts
        surface: Json = {
            "container": container,
            "channel": {"id": on.channel, "name": self._channel_name(on.channel)},
            "state": {"values": {}},
        }
        if not isinstance(on, Ephemeral):
            shape = message_shape(self._in, on)
            surface["message"] = {**shape, "blocks": with_block_ids(on.blocks)}
        if pressed:
            surface["response_url"] = self._in.response_url(on.channel, user.id, on)
        return surface

    def _channel_name(self, channel: str) -> str:
        found = self._in.place(channel)
        return "privategroup" if found.private else found.name
