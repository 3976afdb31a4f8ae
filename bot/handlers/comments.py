"""Comments on pull requests: who may not costs one question, who may is answered below."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot import events, messages
from bot.commands import markdown
from bot.errors import AskerError, Refused, RetryLater
from bot.github import GitHub, PullRequest
from bot.handlers.answers import WENT_WRONG, Answers, by_number
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation, Step, shows_only, verbs_of
from bot.handlers.places import GitHubPlace
from bot.posting.audience import Audience
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import ActorKind, Cause
from bot.tables import Delivery, Post

log = structlog.get_logger()

SEEN_AFTER = 3.0
"""Seconds without an answer after which a reaction says that the comment was read."""
NO_COMMAND = "no command in the comment"


class CommentHandler:
    """Decides what becomes of a comment."""

    def __init__(
        self,
        registry: Registry,
        host: CodeHost,
        conversation: Conversation,
        answers: Answers,
        audience: Audience,
    ) -> None:
        self._registry = registry
        self._host = host
        self._conversation = conversation
        self._answers = answers
        self._audience = audience

    async def handle(self, delivery: Delivery, comment: events.Comment) -> None:
        """Who may not costs one question: nothing is read, fetched or shown before that is answered."""
        config, github = self._registry.config, self._host.github
        if github is None or not config.allows(comment.repository):
            await self._conversation.end(
                delivery, "ignored", f"{comment.repository} may not talk to this installation"
            )
            return
        if not markdown.may_hold_command(comment.body, config.command):
            await self._conversation.end(delivery, "ignored", NO_COMMAND)
            return
        context = request_of(comment)
        try:
            named = markdown.jobs_named(comment.body, config.command)
            context = await self._conversation.admit(context, named)
        except AskerError as refusal:
            await self._refuse(delivery, comment, context, refusal)
            return
        try:
            lines = await asyncio.to_thread(markdown.read, comment.body, config.command)
        except markdown.TooCostly as refusal:
            lines = [markdown.Line(config.command, str(refusal))]
        if not lines:
            await self._conversation.end(delivery, "ignored", NO_COMMAND)
            return
        seeing = asyncio.create_task(self._see(github, comment))
        try:
            await self._answer(delivery, comment, context, lines)
        finally:
            await _ended(seeing)

    async def _answer(
        self,
        delivery: Delivery,
        comment: events.Comment,
        context: RequestContext,
        lines: Sequence[markdown.Line],
    ) -> None:
        """Carry out the commands of a comment whose author may give some."""
        if comment.on_issue:
            steps = [Step(AskerError(messages.on_issue()))]
        else:
            if any(line.problem is None for line in lines):
                pull = await self._host.required.pull(comment.repository, comment.pull)
                if pull.private is not None:
                    self._audience.note(comment.repository, private=pull.private)
                context = replace(context, place=_place(comment, pull))
            steps = await self._conversation.prepare(context, lines)
        await self._conversation.decide(
            delivery,
            context,
            steps,
            lambda texts, failed: self._answers.github(
                comment, context.key, texts, failed=failed, shows=shows_only(lines)
            ),
            f"{context.actor} asks for {verbs_of([line.text for line in lines])}",
        )

    @staticmethod
    async def _see(github: GitHub, comment: events.Comment) -> None:
        """Show that the comment was read, where the answer takes a while; GitHub keeps one such reaction."""
        if comment.kind == "review":  # GitHub's REST API knows no reactions to those
            return
        await asyncio.sleep(SEEN_AFTER)
        on_line = comment.thread is not None
        try:
            await github.react(comment.repository, comment.comment, "eyes", on_line=on_line)
        except (RetryLater, Refused) as error:
            log.info("reaction.failed", repository=comment.repository, error=str(error))

    async def _refuse(
        self, delivery: Delivery, comment: events.Comment, context: RequestContext, refusal: AskerError
    ) -> None:
        """No, politely, once per person and pull request, without a look at more than the first lines.

        Nothing is said to people whom nothing ties to the repository, nor below what is long.
        """
        word, answers = self._registry.config.command, list[Post]()
        if not comment.outsider and markdown.is_short_command(comment.body, word):
            key = f"refusal:{comment.repository}#{comment.pull}:{comment.author.lower()}"
            text = messages.error_reply(str(refusal))
            answers = self._answers.github(comment, key, [text], failed=True)
        jobs: list[str | None] = [*markdown.jobs_named(comment.body, word)]
        if not jobs and markdown.is_short_command(comment.body, word):
            jobs = [None]
        refusals = [
            row for job in jobs for row in self._conversation.refusals(delivery, context, job, refusal)
        ]
        note = f"refused {context.actor}: {refusal}"
        await self._conversation.refuse(delivery, note, answers, refusals)

    def apology(self, comment: events.Comment) -> list[Post]:
        """What is said where Errand failed; nothing to people whom nothing ties to the repository."""
        if comment.outsider:
            return []
        there = by_number(comment)
        text = messages.error_reply(WENT_WRONG)
        return self._answers.github(there, request_of(there).key, [text], failed=True)


def request_of(comment: events.Comment) -> RequestContext:
    """Who asks by a comment, and where."""
    return RequestContext(
        key=f"github:{comment.kind}:{comment.comment}",
        cause=Cause.COMMENT,
        actor=ActorKind.GITHUB.named(comment.author),
        login=comment.author,
        place=_place(comment),
    )


def _place(comment: events.Comment, pull: PullRequest | None = None) -> GitHubPlace:
    return GitHubPlace(
        comment.repository,
        comment.pull,
        pull,
        comment.public,
        comment.thread,
        comment.written_at or 0.0,  # a comment without a time is older than every push
        comment.commit,
    )


async def _ended(task: asyncio.Task[Any]) -> None:
    """End a task that nobody waits for any more, with whatever came of it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
