"""Slash commands of Slack: who typed counts as the GitHub account that they are mapped to."""

from bot import events, messages
from bot.commands import markdown
from bot.errors import NotAllowed
from bot.handlers.answers import WENT_WRONG, Answers
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation, Step, job_to_start, verbs_of
from bot.handlers.places import SlackPlace
from bot.registry import Registry
from bot.states import ActorKind, Cause
from bot.tables import Delivery, Post


class SlackCommandHandler:
    """Decides what becomes of a slash command."""

    def __init__(self, registry: Registry, conversation: Conversation, answers: Answers) -> None:
        self._registry = registry
        self._conversation = conversation
        self._answers = answers

    async def handle(self, delivery: Delivery, command: events.SlackCommand) -> None:
        """Carry it out for whoever is mapped to an account of GitHub; others hear that they are not."""
        login = self._registry.config.person(command.user)
        context = RequestContext(
            key=f"slack:{command.trigger}",
            cause=Cause.SLACK,
            actor=ActorKind.SLACK.named(login or command.user),
            login=login,
            place=SlackPlace(command.channel, f"#{command.channel_name}", command.response_url or None),
        )
        line = f"{self._registry.config.command} {markdown.plain(command.text) or 'help'}"
        if login is None:
            job = job_to_start(line, self._registry.config.command)
            steps = [Step(NotAllowed(messages.unknown_person()), job)]
        else:
            steps = await self._conversation.prepare(context, [markdown.Line(line)])
        await self._conversation.decide(
            delivery,
            context,
            steps,
            lambda texts, failed: self._answers.slack(command, texts),
            f"{context.actor} asks for {verbs_of([line])}",
        )

    def apology(self, command: events.SlackCommand) -> list[Post]:
        """What is said where Errand failed."""
        return self._answers.slack(command, [messages.error_reply(WENT_WRONG)])
