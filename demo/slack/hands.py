"""What a person does in Slack. What is not there cannot be pressed: that is a mistake of the test."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from demo.blocks import check_options
from demo.slack.apps import App
from demo.slack.doors import Door, Sending
from demo.slack.events import Events
from demo.slack.inputs import Element, Unfillable, elements, filled, mistakes
from demo.slack.interactions import Interactions
from demo.slack.responses import Responses
from demo.slack.surfaces import Surfaces
from demo.slack.workspace import Channel, Ephemeral, Json, Message, Person, ResponseUrl, View, Workspace

USER = "U012AB3CD"


class Hands:
    """Presses, fills in, types; `door` leads to the app. `user` is an id, octocat's where none is named."""

    def __init__(self, workspace: Workspace, surfaces: Surfaces, responses: Responses) -> None:
        self._in = workspace
        self._surfaces = surfaces
        self._responses = responses
        self.interactions = Interactions(workspace)
        self.events = Events(workspace)
        self.app: App | None = None
        """What its manifest says, where it was made of one; else everything is there."""
        self.door: Door | None = None
        self.sent: list[Sending] = []

    async def send(self, kind: str, payload: Json) -> httpx.Response:
        """Send a payload to the app."""
        if kind == "interactive" and self.app is not None:
            self._expect(self.app.interactive, "interactivity")
        return await self.pass_on(Sending(kind, payload))

    async def repeat(self, reason: str = "http_timeout", *, attempt: int = 1) -> httpx.Response:
        """Send the last event again, as Slack does where it got no answer in time."""
        return await self.pass_on(replace(self.sent[-1], attempt=attempt, reason=reason))

    async def pass_on(self, sending: Sending) -> httpx.Response:
        """Send it as it is."""
        if self.door is None:
            raise LookupError("the stand-in does not know where the app is")
        self.sent.append(sending)
        return await self.door(sending)

    def _person(self, id: str) -> Person:
        """Who has that id; who is not known becomes known."""
        found = self._in.who(id)
        if found is None:
            found = Person(id, id.lower(), self._in.team_id)
            self._in.people.append(found)
        return found

    # Commands and shortcuts -----------------------------------------------------------------------

    async def slash(
        self, text: str, *, user: str = USER, channel: Channel | str | None = None, command: str = "/job"
    ) -> httpx.Response:
        """Type a command; an answer that stands in the answer itself is shown."""
        self._expect(self.app is None or command in self.app.commands, f"the command {command}")
        where = self._channel(channel)
        fields = self.interactions.command(text, user=self._person(user), channel=where, command=command)
        answer = await self.send("slash_commands", fields)
        if answer.status_code == 200 and answer.content:
            media = answer.headers.get("content-type", "")
            body = answer.json() if media.startswith("application/json") else {"text": answer.text}
            self._responses.take(ResponseUrl(where, user, self._in.clock()), body)
        return answer

    async def shortcut(self, callback_id: str, *, user: str = USER) -> httpx.Response:
        """Choose a global shortcut."""
        known = self.app is None or ("global", callback_id) in self.app.shortcuts
        self._expect(known, f"the shortcut {callback_id}")
        return await self.send("interactive", self.interactions.shortcut(callback_id, self._person(user)))

    async def message_shortcut(
        self, message: Message, callback_id: str, *, user: str = USER
    ) -> httpx.Response:
        """Choose a shortcut of a message."""
        known = self.app is None or ("message", callback_id) in self.app.shortcuts
        self._expect(known, f"the shortcut {callback_id} of messages")
        payload = self.interactions.message_action(callback_id, message, self._person(user))
        return await self.send("interactive", payload)

    # Messages and views ---------------------------------------------------------------------------

    async def press(
        self,
        on: Message | Ephemeral | View,
        action_id: str,
        *,
        user: str | None = None,
        value: str | None = None,
        label: str | None = None,
    ) -> httpx.Response:
        """Press a button; one of several with the same `action_id` by its `value` or what it says."""
        who = self._whose(on, user)
        button = element_of(on, action_id, value=value, label=label)
        if button.content["type"] != "button":
            raise LookupError(f"{action_id} is no button but a {button.content['type']}")
        return await self.send("interactive", self.interactions.block_actions(on, button, {}, who))

    async def choose(
        self, on: Message | Ephemeral | View, action_id: str, value: Any, *, user: str | None = None
    ) -> httpx.Response:
        """Set a menu, a checkbox or a picker that tells the app at once."""
        who = self._whose(on, user)
        element = element_of(on, action_id)
        if element.block["type"] == "input" and not element.block.get("dispatch_action"):
            raise LookupError(f"{action_id} tells the app nothing before the form is sent")
        state = await self._state(on, element, value, who)
        if isinstance(on, View):
            on.values.setdefault(element.block_id, {})[action_id] = state
        return await self.send("interactive", self.interactions.block_actions(on, element, state, who))

    async def _suggestions(
        self, on: Message | Ephemeral | View, element: Element, query: str, who: Person
    ) -> list[Json]:
        self._expect(self.app is None or self.app.suggests, "an address for the options of menus")
        payload = self.interactions.block_suggestion(on, element, query, who)
        answer = await self.send("interactive", payload)
        body = taken(answer).json()
        check_options(body)
        self._in.accept("block_suggestion", body)
        groups = body.get("option_groups")
        options = [each for group in groups for each in group["options"]] if groups else body["options"]
        return list(options)

    async def fill(self, view: View, values: Mapping[str, Any], *, user: str | None = None) -> None:
        """Enter values in the inputs of a modal, by their `block_id`; nothing is sent."""
        who = self._whose(view, user)
        inputs = {each.block_id: each for each in elements(view.blocks) if each.block["type"] == "input"}
        for block, value in values.items():
            if block not in inputs:
                raise LookupError(f"there is no input {block} among {sorted(inputs)}")
            element = inputs[block]
            state = await self._state(view, element, value, who)
            view.values[block][element.content["action_id"]] = state

    async def submit(
        self, view: View, values: Mapping[str, Any] | None = None, *, user: str | None = None
    ) -> httpx.Response:
        """Fill in a modal and send it; the app's answer is shown. `Unfillable` where Slack would not send."""
        who = self._whose(view, user)
        if not view.open:
            raise LookupError("the modal is closed")
        await self.fill(view, values or {}, user=who.id)
        wrong = mistakes(view.blocks, view.values)
        if wrong:
            raise Unfillable(wrong)
        answer = await self.send("interactive", self.interactions.view_submission(view, who))
        if answer.status_code == 200:
            self._surfaces.answered(view, answer.json() if answer.content else {})
        return answer

    async def close(self, view: View, *, user: str | None = None) -> httpx.Response | None:
        """Close a modal; the app is told where it wants to know."""
        who = self._whose(view, user)
        view.open = False
        if not view.content.get("notify_on_close"):
            return None
        return await self.send("interactive", self.interactions.view_closed(view, who))

    async def _state(self, on: Message | Ephemeral | View, element: Element, value: Any, who: Person) -> Json:
        content, options = element.content, None
        if content["type"] == "external_select" and value is not None:
            options = await self._suggestions(on, element, str(value), who)
        return filled(content, value, options)

    def _whose(self, on: Message | Ephemeral | View, user: str | None) -> Person:
        """Who acts: of what only one person sees, that one."""
        if isinstance(on, Message):
            return self._person(user or USER)
        if user not in (None, on.user):
            raise LookupError(f"{user} does not see what {on.user} sees")
        return self._person(on.user)

    # Events ---------------------------------------------------------------------------------------

    async def event(self, event: Json, *, shared: bool = False) -> httpx.Response:
        """Send an event."""
        known = self.app is None or event["type"] in self.app.events
        self._expect(known, f"a subscription to {event['type']}")
        return await self.send("events_api", self.events.callback(event, shared=shared))

    async def verify(self) -> bool:
        """Ask whether the address is the app's, as when it is typed in; gives whether it answered so."""
        payload = self.events.verification()
        answer = await self.send("events_api", payload)
        return answer.status_code == 200 and payload["challenge"] in answer.text

    def write(
        self, text: str, *, user: str = USER, channel: Channel | str | None = None, thread: str | None = None
    ) -> Message:
        """Somebody's message, which the app is not told of."""
        message = Message(self._channel(channel), self._in.stamp(), "", None, [(text, [])], thread)
        message.user = self._person(user).id
        self._in.messages.append(message)
        return message

    async def mention(
        self, text: str, *, user: str = USER, channel: Channel | str | None = None, thread: str | None = None
    ) -> httpx.Response:
        """Write `@errand TEXT` in a channel, or in a thread of it."""
        words = f"<@{self._in.bot_user}> {text}"
        message = self.write(words, user=user, channel=channel, thread=thread)
        shared = self._in.place(message.channel).shared
        return await self.event(self.events.app_mention(message, self._person(user)), shared=shared)

    async def open_home(self, *, user: str = USER, tab: str = "home") -> httpx.Response:
        """Look at the app's Home (or its `messages`)."""
        return await self.event(self.events.app_home_opened(self._person(user), tab))

    async def share(
        self, *links: str, user: str = USER, channel: Channel | str | None = None, thread: str | None = None
    ) -> Message:
        """Write links to the app's domain; gives the message that they stand in."""
        hosts = {urlsplit(each).hostname for each in links}
        self._expect(self.app is None or hosts <= self.app.domains, f"the domains of {hosts}")
        message = self.write(" ".join(links), user=user, channel=channel, thread=thread)
        place = self._in.place(message.channel)
        event = self.events.link_shared(message, self._person(user), list(links), place)
        taken(await self.event(event, shared=place.shared))
        return message

    async def archive(self, channel: Channel, *, user: str = USER) -> httpx.Response:
        """Archive a channel."""
        channel.archived = True
        return await self.event(self.events.channel_event("channel_archive", channel, self._person(user)))

    async def remove(self, channel: Channel, *, user: str = USER) -> httpx.Response:
        """Throw the app out of a channel."""
        channel.member = False
        return await self.event(self.events.channel_event("channel_left", channel, self._person(user)))

    def _expect(self, known: bool, what: str) -> None:
        if not known:
            raise LookupError(f"the app has no such thing: {what}")

    def _channel(self, channel: Channel | str | None) -> str:
        if channel is None:
            return self._in.channels[0].id
        return channel if isinstance(channel, str) else channel.id


def taken(answer: httpx.Response) -> httpx.Response:
    """An answer that Slack takes."""
    if answer.status_code != 200:
        raise ValueError(f"the app answered {answer.status_code}: {answer.text[:200]}")
    return answer


def element_of(
    on: Message | Ephemeral | View, action_id: str, *, value: str | None = None, label: str | None = None
) -> Element:
    """The one element that fits; `LookupError` where there is none, or more than one."""
    every = [each for each in elements(on.blocks) if each.content["action_id"] == action_id]
    fitting = [each for each in every if value is None or each.content.get("value") == value]
    if label is not None:
        fitting = [each for each in fitting if label in each.content.get("text", {}).get("text", "")]
    if len(fitting) != 1:
        there = [(each.content["action_id"], each.content.get("value")) for each in elements(on.blocks)]
        raise LookupError(f"{len(fitting)} elements are {action_id} (value {value}, {label}); here: {there}")
    return fitting[0]
