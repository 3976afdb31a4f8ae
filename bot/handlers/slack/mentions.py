"""Commands in messages that mention Errand: `@errand run ...`, also in threads, where slash commands fail."""

import re
from dataclasses import replace

from bot.commands import markdown
from bot.events.slack_facts import SlackMention
from bot.handlers.answers import Answers
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation, Press, verbs_of
from bot.handlers.slack.commands import SlackCommandHandler
from bot.handlers.slack.contexts import SlackContexts, place
from bot.handlers.slack.lists import SlackListHandler
from bot.slack import Slack
from bot.store.idempotency import KEEP_KEYS
from bot.tables import Delivery, Post

_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}", re.ASCII)
"""What a bot may be called."""


class SlackMentionHandler:
    """Decides what becomes of a message with Errand's name in it."""

    def __init__(
        self,
        slack: Slack,
        contexts: SlackContexts,
        commands: SlackCommandHandler,
        conversation: Conversation,
        answers: Answers,
        lists: SlackListHandler,
    ) -> None:
        self._slack = slack
        self._contexts = contexts
        self._commands = commands
        self._conversation = conversation
        self._answers = answers
        self._lists = lists

    async def handle(self, delivery: Delivery, mention: SlackMention) -> None:
        """Carry out each line that begins with the mention, in order; one message is carried out once.

        Slack tells of one message in several events where Errand is mentioned in a shared channel.
        """
        member, name = await self._slack.own_user() or ("", "")
        word = f"@{name}"
        lines = markdown.addressed(mention.text, member, word) if _NAME.fullmatch(name) else []
        if not lines:
            await self._conversation.end(delivery, "ignored", "no line begins with the mention")
            return
        context = await self._context(mention, word)
        spot = mention.spot
        if [line.text for line in lines] == [word]:
            await self._lists.handle(delivery, context)
            return
        offers = context.login is not None  # nobody is offered what they may not ask for

        def answer(texts: list[str], failed: bool) -> list[Post]:
            if failed and offers and len(texts) == 1:
                texts = [self._commands.offer(context, lines, texts[0])]
            return self._answers.slack(context, texts)

        await self._conversation.decide(
            delivery,
            context,
            await self._commands.steps(context, lines),
            answer,
            f"{context.actor} asks for {verbs_of([line.text for line in lines])}",
            press=Press(f"slack:{spot.channel}", f"mention:{spot.message}", KEEP_KEYS),
        )

    async def _context(self, mention: SlackMention, word: str) -> RequestContext:
        """Who asks, in a channel that is called what `app.yaml` may call it; answers tell them `word`."""
        spot = mention.spot
        name = await self._slack.channel_name(spot.channel)
        spot = replace(spot, name=(name or "").removeprefix("#"))
        context = await self._contexts.of(f"slack:{spot.channel}:{spot.message}", mention.asker, spot)
        return replace(context, place=replace(place(spot, mention.asker), mention=word))
