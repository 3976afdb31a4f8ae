"""Slash commands of Slack: who typed counts as the GitHub account that they are mapped to."""

from collections.abc import Sequence

from bot.commands import markdown
from bot.errors import NotAllowed
from bot.events.slack_facts import SlackCommand
from bot.handlers.answers import Answers
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation, Step, job_to_start, verbs_of
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.form_requests import FormRequests
from bot.handlers.slack.lists import SlackListHandler
from bot.registry import Registry
from bot.tables import Delivery


class SlackCommandHandler:
    """Decides what becomes of a slash command."""

    def __init__(
        self,
        registry: Registry,
        contexts: SlackContexts,
        conversation: Conversation,
        answers: Answers,
        forms: FormRequests,
        lists: SlackListHandler,
    ) -> None:
        self._registry = registry
        self._contexts = contexts
        self._conversation = conversation
        self._answers = answers
        self._lists = lists
        self._forms = forms

    async def handle(self, delivery: Delivery, command: SlackCommand) -> None:
        """Carry it out for whoever is mapped to an account of GitHub; others hear that they are not.

        Where only parameters are missing there is a form for them, and where the job is, one to choose it.
        """
        text = markdown.plain(command.text).strip()
        line = f"{self._registry.config.command} {text}"
        if text == "run":
            await self._forms.menu(delivery, command)
            return
        if text == "login":
            await self._forms.login(delivery, command)
            return
        incomplete = self._forms.incomplete(line) if text else None
        if incomplete is not None:
            await self._forms.command(delivery, command, incomplete)
            return
        context = await self._contexts.of(f"slack:{command.trigger}", command.asker, command.spot)
        if not text:
            await self._lists.handle(delivery, context)
            return
        steps = await self.steps(context, [markdown.Line(line)])
        await self._conversation.decide(
            delivery,
            context,
            steps,
            lambda texts, failed: self._answers.slack(context, texts),
            f"{context.actor} asks for {verbs_of([line])}",
        )

    def offer(self, context: RequestContext, lines: Sequence[markdown.Line], text: str) -> str:
        """A refusal with a button that opens the form, where one line lacks nothing but parameters."""
        if len(lines) != 1:
            return text
        command = lines[0].text.removeprefix(self._conversation.first_word(context))
        return self._forms.offer(f"{self._registry.config.command}{command}", text)

    async def steps(self, context: RequestContext, lines: Sequence[markdown.Line]) -> Sequence[Step]:
        """What whole lines stand for, where who asks is known; others hear once that they are not."""
        job = job_to_start(lines[0].text, self._conversation.first_word(context))
        try:
            context = await self._conversation.admit(context, [job] if job is not None else [])
        except NotAllowed as refusal:
            return [Step(refusal, job)]
        return await self._conversation.prepare(context, lines)
