"""Turns a stored delivery into decisions: network first, then one short transaction.

The transaction enqueues what was asked for and the answers, and marks the delivery handled, so a desk
that is killed anywhere does all of it again or nothing; keys forbid that anything is done twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog

from bot import events, messages
from bot.access.repository_pins import Identity
from bot.commands import markdown, parser
from bot.context import Context
from bot.errors import AskerError, NotAllowed, Refused, RetryLater
from bot.github import GitHub
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.pushes import PushHandler
from bot.handlers.verbs import CommandHandlers, Effect
from bot.posting import targets
from bot.repositories import Stranger
from bot.states import ActorKind, Cause
from bot.store import Session, deliveries, posts, push_verdicts
from bot.store.leases import LeaseLost
from bot.tables import CommandRefusal, Delivery, Post

log = structlog.get_logger()

MAX_COMMANDS = 10
"""Commands of one comment that are carried out; further ones are refused."""

NO_COMMAND = "no command in the comment"

WENT_WRONG = "This did not work, and the fault is not yours. Whoever runs Errand finds the cause in its log."

Settled = Literal["handled", "ignored", "failed"]

Answers = Callable[[list[str], bool], list[Post]]
"""The posts that tell an asker the texts of the replies, and whether something failed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command: what it does, or why it does nothing, and the job that it was to start."""

    effect: Effect | AskerError
    job: str | None = None


class DeliveryHandler:
    """Decides what becomes of a delivery."""

    def __init__(
        self, tools: Context, authorization: Authorization, commands: CommandHandlers, pushes: PushHandler
    ) -> None:
        self._tools = tools
        self._authorization = authorization
        self._pushing = pushes
        self._command_handlers = commands

    async def handle(self, delivery: Delivery) -> None:
        """Decide one claimed delivery; raises `RetryLater` when somebody has to be asked again."""
        event = events.read(delivery)
        if isinstance(event, events.Push | events.Comment):
            try:
                event = replace(event, repository=await self._admit(event))
            except Stranger as stranger:
                await self._turn_away(delivery, event, stranger)
                return
        match event:
            case events.Push() as push:
                await self._push(delivery, push)
            case events.Comment() as comment:
                await self._comment(delivery, comment)
            case events.Moved() as moved:
                await self._moved(delivery, moved)
            case events.SlackCommand() as command:
                await self._slack(delivery, command)
            case events.Ignored(why):
                await self._settle(delivery, "ignored", why)

    async def give_up(self, delivery: Delivery, error: Exception) -> None:
        """Close a delivery that cannot be handled and say so where it was asked."""
        reference = str(error) if isinstance(error, RetryLater) else type(error).__name__
        try:
            await self._settle(delivery, "failed", reference[:500], self._apology(delivery))
        except (RetryLater, LeaseLost):
            raise
        except Exception:  # then without words, which are what may have failed
            log.exception("delivery.failed", key=delivery.key)
            await self._settle(delivery, "failed", reference[:500])

    def _apology(self, delivery: Delivery) -> list[Post]:
        text = messages.error_reply(WENT_WRONG)
        match events.read(delivery):
            case events.Comment(outsider=False) as comment:
                comment = _by_number(comment)
                return self._github_answers(comment, _asked_on_github(comment).key, [text], failed=True)
            case events.SlackCommand() as command:
                return self._slack_answers(command, [text])
            case _:
                return []

    # Whose it is ------------------------------------------------------------------------------------

    async def _admit(self, event: events.Push | events.Comment) -> str:
        """By which name the repository is known here; `Stranger` where its name was another one's."""
        repositories, name = self._tools.repositories, event.repository
        if event.number is not None:
            seen = Identity(name, event.number, event.owner_number)
            return await repositories.admit(seen, door="delivery")
        if await repositories.known(name) is not None:
            raise Stranger(name, f"the delivery does not say the number of {name}, which is known")
        return self._tools.registry.catalog.spelling(name)

    async def _turn_away(
        self, delivery: Delivery, event: events.Push | events.Comment, stranger: Stranger
    ) -> None:
        """Nothing is done for who has another one's name; whoever gives a command there is told that much."""
        answers, word = list[Post](), self._tools.config.command
        if (
            isinstance(event, events.Comment)
            and self._tools.github is not None
            and event.number is not None
            and not event.outsider
            and self._tools.config.allows(event.repository)
            and markdown.is_short_command(event.body, word)
        ):
            there = _by_number(event)
            key = f"refusal:{there.repository}#{event.pull}:{event.author.lower()}"
            answers = self._github_answers(there, key, [messages.error_reply(str(stranger))], failed=True)
        await self._settle(delivery, "ignored", stranger.note, answers)

    async def _moved(self, delivery: Delivery, moved: events.Moved) -> None:
        """GitHub tells at once what would be seen with the next push or comment."""
        known = await self._tools.repositories.known(moved.former)
        if known is not None and known.number != moved.number:
            await self._settle(delivery, "ignored", f"{moved.former} is another repository by now")
            return
        seen = Identity(moved.former, moved.number, current=moved.repository)
        name = await self._tools.repositories.admit(seen, door="delivery")
        await self._settle(delivery, "handled", f"{name} is called {moved.repository} now")

    # Doors ----------------------------------------------------------------------------------------

    async def _push(self, delivery: Delivery, push: events.Push) -> None:
        decision = await asyncio.to_thread(self._pushing.decide, delivery, push)
        state: Settled = "handled" if decision.concerns else "ignored"

        def decide(session: Session) -> None:
            decision.effect(session)
            self._close(session, delivery, state, decision.note())

        await self._tools.store.write(decide)
        self._log(delivery, state, decision.note(), problem=decision.refused())

    async def _comment(self, delivery: Delivery, comment: events.Comment) -> None:
        """Who may not costs one question: nothing is read, fetched or shown before that is answered."""
        tools, word = self._tools, self._tools.config.command
        if tools.github is None or not tools.config.allows(comment.repository):
            await self._settle(delivery, "ignored", f"{comment.repository} may not talk to this installation")
            return
        if not markdown.may_hold_command(comment.body, word):
            await self._settle(delivery, "ignored", NO_COMMAND)
            return
        asked = _asked_on_github(comment)
        try:
            await self._authorization.require(asked, comment.repository)
        except AskerError as refusal:
            await self._refuse(delivery, comment, asked, refusal)
            return
        try:
            lines = await asyncio.to_thread(markdown.read, comment.body, word)
        except markdown.TooCostly as refusal:
            lines = [markdown.Line(word, str(refusal))]
        if not lines:
            await self._settle(delivery, "ignored", NO_COMMAND)
            return
        seeing = asyncio.create_task(self._see(tools.github, comment))
        try:
            await self._answer(delivery, comment, asked, lines)
            await seeing
        finally:
            await _ended(seeing)

    async def _answer(
        self,
        delivery: Delivery,
        comment: events.Comment,
        asked: RequestContext,
        lines: Sequence[markdown.Line],
    ) -> None:
        """Carry out the commands of a comment whose author may give some."""
        if comment.on_issue:
            steps = [Step(AskerError(messages.on_issue()))]
        else:
            if any(line.problem is None for line in lines):
                pull = await self._tools.required_github.pull(comment.repository, comment.pull)
                asked = replace(asked, pull=pull)
            steps = await self._prepare(asked, lines)
        await self._decide(
            delivery,
            asked,
            steps,
            lambda texts, failed: self._github_answers(comment, asked.key, texts, failed=failed),
            f"{asked.actor} asks for {_verbs([line.text for line in lines])}",
        )

    async def _slack(self, delivery: Delivery, command: events.SlackCommand) -> None:
        login = self._tools.config.person(command.user)
        asked = RequestContext(
            key=f"slack:{command.trigger}",
            cause=Cause.SLACK,
            actor=ActorKind.SLACK.named(login or command.user),
            login=login,
            channel=command.channel,
            channel_name=f"#{command.channel_name}",
            response_url=command.response_url or None,
        )
        line = f"{self._tools.config.command} {markdown.plain(command.text) or 'help'}"
        if login is None:
            job = _job_to_start(line, self._tools.config.command)
            steps = [Step(NotAllowed(messages.unknown_person()), job)]
        else:
            steps = await self._prepare(asked, [markdown.Line(line)])
        await self._decide(
            delivery,
            asked,
            steps,
            lambda texts, failed: self._slack_answers(command, texts),
            f"{asked.actor} asks for {_verbs([line])}",
        )

    # One transaction ------------------------------------------------------------------------------

    async def _prepare(self, asked: RequestContext, lines: Sequence[markdown.Line]) -> list[Step]:
        steps: list[Step] = []
        word = self._tools.config.command
        for index, line in enumerate(lines[:MAX_COMMANDS]):
            if line.problem is not None:
                steps.append(Step(AskerError(line.problem)))
                continue
            job = _job_to_start(line.text, word)
            try:
                effect = await self._command_handlers.of(
                    replace(asked, line=line.text), parser.parse(line.text, word), index
                )
                steps.append(Step(effect, job))
            except AskerError as error:
                steps.append(Step(error, job))
        if len(lines) > MAX_COMMANDS:
            refusal = AskerError(f"One comment may give {MAX_COMMANDS} commands; the rest was left out.")
            steps.append(Step(refusal))
        return steps

    async def _decide(
        self, delivery: Delivery, asked: RequestContext, steps: Sequence[Step], answers: Answers, note: str
    ) -> None:
        failed = False

        def decide(session: Session) -> None:
            nonlocal failed
            texts: list[str] = []
            refusals: list[CommandRefusal] = []
            failed = False
            for step in steps:
                try:
                    if isinstance(step.effect, AskerError):
                        raise step.effect
                    text = step.effect(session)
                except AskerError as error:
                    failed, text = True, messages.error_reply(str(error))
                    refusals += self._refusals(delivery, asked, step.job, error)
                if text:
                    texts.append(text)
            posts.add(session, answers(texts, failed))
            push_verdicts.refuse(session, refusals)
            self._close(session, delivery, "handled", note)

        await self._tools.store.write(decide)
        self._log(delivery, "handled", note, problem=failed)

    def _refusals(
        self, delivery: Delivery, asked: RequestContext, job: str | None, error: AskerError
    ) -> list[CommandRefusal]:
        """What is kept of a refusal, for `why`."""
        if job is None or not isinstance(error, NotAllowed):
            return []
        repository = self._authorization.refused_from(asked, job)
        if repository is None:
            return []
        refusal = CommandRefusal(
            delivery_id=delivery.identity,
            job=job,
            repository=repository.casefold(),
            actor=asked.actor,
            reason=error.reason,
            received_at=delivery.received_at,
        )
        return [refusal]

    async def _settle(
        self,
        delivery: Delivery,
        state: Settled,
        note: str,
        answers: Sequence[Post] = (),
        refusals: Sequence[CommandRefusal] = (),
        *,
        refused: bool = False,
    ) -> None:
        def settle(session: Session) -> None:
            posts.add(session, answers)
            push_verdicts.refuse(session, refusals)
            self._close(session, delivery, state, note)

        await self._tools.store.write(settle)
        self._log(delivery, state, note, problem=refused or state == "failed")

    def _log(self, delivery: Delivery, state: Settled, note: str, *, problem: bool) -> None:
        """One line of what became of it, unless only problems are to be told."""
        if problem or self._tools.config.log.deliveries == "all":
            log.info("delivery.settled", key=delivery.key, state=state, note=note)

    def _close(self, session: Session, delivery: Delivery, state: Settled, note: str) -> None:
        """Settle it; where another bot has it by now, `LeaseLost` undoes all that was decided with it."""
        deliveries.settle(session, delivery.identity, owner=self._tools.owner, state=state, note=note)

    # Answers --------------------------------------------------------------------------------------

    @staticmethod
    async def _see(github: GitHub, comment: events.Comment) -> None:
        """Show at once that the comment was read; GitHub keeps one such reaction, however often made."""
        try:
            await github.react(comment.repository, comment.comment, "eyes")
        except (RetryLater, Refused) as error:
            log.info("reaction.failed", repository=comment.repository, error=str(error))

    async def _refuse(
        self, delivery: Delivery, comment: events.Comment, asked: RequestContext, refusal: AskerError
    ) -> None:
        """No, politely, once per person and pull request, without a look at more than the first lines.

        Nothing is said to people whom nothing ties to the repository, nor below what is long.
        """
        word, answers = self._tools.config.command, list[Post]()
        if not comment.outsider and markdown.is_short_command(comment.body, word):
            key = f"refusal:{comment.repository}#{comment.pull}:{comment.author.lower()}"
            text = messages.error_reply(str(refusal))
            answers = self._github_answers(comment, key, [text], failed=True)
        refusals = [
            row
            for job in markdown.jobs_named(comment.body, word)
            for row in self._refusals(delivery, asked, job, refusal)
        ]
        note = f"refused {asked.actor}: {refusal}"
        await self._settle(delivery, "handled", note, answers, refusals, refused=True)

    def _github_answers(
        self, comment: events.Comment, key: str, texts: Sequence[str], *, failed: bool
    ) -> list[Post]:
        """A reaction and a reply; `key` is of what is answered."""
        now, nonce = self._tools.clock(), self._tools.nonce
        where, content = comment.repository, "confused" if failed else "rocket"
        about = (f"reaction:{key}:{content}", where, comment.comment, content)
        answers = [targets.reaction(*about, now=now, nonce=nonce())]
        if texts:
            reply, public = (f"reply:{key}", where, comment.pull, messages.joined(texts)), comment.public
            answers.append(targets.comment_reply(*reply, public=public, now=now, nonce=nonce()))
        return answers

    def _slack_answers(self, command: events.SlackCommand, texts: Sequence[str]) -> list[Post]:
        if not texts or not command.response_url:
            return []
        key, text = f"reply:slack:{command.trigger}", messages.joined(texts)
        now, nonce = self._tools.clock(), self._tools.nonce()
        return [targets.slack_reply(key, command.response_url, text, now=now, nonce=nonce)]


def _asked_on_github(comment: events.Comment) -> RequestContext:
    return RequestContext(
        key=f"github:comment:{comment.comment}",
        cause=Cause.COMMENT,
        actor=ActorKind.GITHUB.named(comment.author),
        login=comment.author,
        repository=comment.repository,
        number=comment.pull,
        public=comment.public,
    )


def _by_number(comment: events.Comment) -> events.Comment:
    """The same with the address of just that repository, whatever its name means here."""
    return comment if comment.number is None else replace(comment, repository=f"#{comment.number}")


async def _ended(task: asyncio.Task[Any]) -> None:
    """End a task that nobody waits for any more, with whatever came of it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _job_to_start(line: str, word: str) -> str | None:
    """The job that a command is to start, where it names one."""
    try:
        command = parser.parse(line, word)
    except AskerError:
        return None
    return command.name if isinstance(command, parser.Run | parser.Rerun) else None


def _verbs(lines: Sequence[str]) -> str:
    """The second word of each command; what else was typed may be private."""
    return ", ".join(line.split()[1][:20] if len(line.split()) > 1 else "help" for line in lines)
