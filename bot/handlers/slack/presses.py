"""Buttons of messages and of Home: what the command of the same person would do, by the same rights."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from bot.commands import markdown
from bot.events.slack_facts import SlackPress
from bot.handlers.answers import Answers
from bot.handlers.conversation import Conversation, Press
from bot.handlers.slack.commands import SlackCommandHandler
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.form_requests import BUTTONS, FormRequests
from bot.handlers.slack.homes import SlackHomeHandler, page_number
from bot.handlers.slack.lists import SlackListHandler
from bot.messages.slack.actions import Action
from bot.registry import Registry
from bot.tables import Delivery, Post

_COMMANDS: Mapping[str, str] = {
    Action.RUN_APPROVE: "approve #{value}",
    Action.RUN_DENY: "deny #{value}",
    Action.RUN_CANCEL: "cancel #{value}",
    Action.RUN_AGAIN: "rerun #{value}",
    Action.JOB_PAUSE: "pause {value}",
    Action.JOB_RESUME: "resume {value}",
    Action.JOB_SKIP: "skip {value}",
    Action.SCHEDULES_RESUME: "resume --all",
    Action.FREEZE_THAW: "thaw {options}",
}
"""What each button stands for, by its value: as one word, or as the options that it is."""
_TURNS = frozenset({Action.LIST_PAGE, Action.LIST_BACK, Action.HOME_REFRESH})
"""Buttons that show something else of the same."""


@dataclass(frozen=True, slots=True)
class Panels:
    """What buttons show: Homes and lists in messages, which stay where they are, and forms."""

    homes: SlackHomeHandler
    lists: SlackListHandler
    forms: FormRequests


class SlackPressHandler:
    """Decides what becomes of a button that somebody pressed."""

    def __init__(
        self,
        registry: Registry,
        contexts: SlackContexts,
        commands: SlackCommandHandler,
        conversation: Conversation,
        answers: Answers,
        panels: Panels,
    ) -> None:
        self._registry = registry
        self._contexts = contexts
        self._commands = commands
        self._conversation = conversation
        self._answers = answers
        self._panels = panels

    async def handle(self, delivery: Delivery, press: SlackPress) -> None:
        """Carry out what it stands for; pressed twice within seconds, it is done once."""
        if press.action in BUTTONS:
            await self._panels.forms.press(delivery, press, _identity(press))
            return
        if press.action in _TURNS:
            await self._turn(delivery, press)
            return
        words = _COMMANDS.get(press.action)
        if words is None:
            await self._conversation.end(delivery, "ignored", f"{press.action[:60]} does nothing here")
            return
        context = await self._contexts.of(delivery.key, press.asker, press.spot)
        command = words.format(value=shlex.quote(press.value), options=press.value)
        line = f"{self._registry.config.command} {command}"
        refusals: list[str] = []

        def answers(texts: list[str], failed: bool) -> list[Post]:
            refusals[:] = texts if failed else []
            return self._answers.slack(context, refusals)

        await self._conversation.decide(
            delivery,
            context,
            await self._commands.steps(context, [markdown.Line(line)]),
            answers,
            f"{context.actor} presses {press.action}",
            press=_identity(press),
        )
        if press.is_home:
            await self._panels.homes.follow(press, "\n\n".join(refusals))

    async def _turn(self, delivery: Delivery, press: SlackPress) -> None:
        if press.is_home:
            await self._panels.homes.turned(delivery, press)
        else:
            await self._panels.lists.turn(delivery, press, page_number(press.value))


def _identity(press: SlackPress) -> Press:
    """By which a double click is known: the same button of the same message, by the same person."""
    where = press.view or ""
    if press.spot is not None:
        where = f"{press.spot.channel}:{press.spot.message}"
    return Press(f"slack:{press.asker.user}", f"press:{where}:{press.action}:{press.value}")
