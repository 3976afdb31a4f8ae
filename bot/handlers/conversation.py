"""Commands that people typed: carried out together in one transaction, and answered where they were given."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bot import messages
from bot.commands import grammar, markdown, parser
from bot.errors import AskerError, NotAllowed
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.journal import refusal
from bot.handlers.settlement import Settled, Settlement
from bot.handlers.verbs import CommandHandlers, Effect
from bot.handlers.visibility import Visibility
from bot.store import Session, idempotency, journal, posts
from bot.tables import Delivery, Idempotency, JournalEntry, Post

MAX_COMMANDS = 10
"""Commands of one comment that are carried out; further ones are refused."""

SHOWN = frozenset({"help", "list", "status"})
"""Verbs that do nothing but show."""

Replies = Callable[[list[str], bool], list[Post]]
"""The posts that tell an asker the texts of the replies, and whether something failed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command: what it does, or why it does nothing, and the job that it was to start."""

    effect: Effect | AskerError
    job: str | None = None
    verb: str | None = None


PRESS_SECONDS = 5.0
"""For how long the same button that is pressed again counts as pressed once."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button: who pressed it, and which one it is; or what else may come again within `seconds`."""

    who: str
    button: str
    seconds: float = PRESS_SECONDS


class Conversation:
    """Answers commands from wherever people type."""

    def __init__(
        self,
        commands: CommandHandlers,
        authorization: Authorization,
        settlement: Settlement,
        visibility: Visibility,
        clock: Callable[[], float],
    ) -> None:
        self._commands = commands
        self._visibility = visibility
        self._authorization = authorization
        self._settlement = settlement
        self._clock = clock

    async def admit(self, context: RequestContext, jobs: Iterable[str] = ()) -> RequestContext:
        """Raise `NotAllowed` unless the asker may have anything here; `RetryLater` if unknown now.

        Whom the repository (in Slack: an account of GitHub) does not let in may be let in by rules of single
        jobs: for them there are no others. The refusal is that of the first of `jobs` that has such a rule.
        """
        refusal = await self._refusal(context)
        if refusal is None:
            return context
        seen = await self._visibility.by_own_rule(context)
        if seen:
            return replace(context, seen=seen)
        raise self._authorization.refusal(context, jobs) or refusal

    async def _refusal(self, context: RequestContext) -> AskerError | None:
        """Why who asks is nobody to the place as a whole."""
        if context.repository is not None:
            try:
                await self._authorization.require(context, context.repository)
            except AskerError as refusal:
                return refusal
        elif context.login is None and context.caller is None:
            return NotAllowed(messages.unknown_person(context.membership))
        return None

    async def end(self, delivery: Delivery, state: Settled, note: str, answers: Sequence[Post] = ()) -> None:
        """Say nothing to it but `answers` elsewhere."""
        await self._settlement.settle(delivery, state, note, answers)

    async def refuse(
        self, delivery: Delivery, note: str, replies: Sequence[Post], refusals: Sequence[JournalEntry]
    ) -> None:
        """Say no to all of it."""
        await self._settlement.settle(delivery, "handled", note, replies, refusals, refused=True)

    def first_word(self, context: RequestContext) -> str:
        """What a command begins with where the asker types."""
        return self._authorization.first_word(context)

    async def prepare(self, context: RequestContext, lines: Sequence[markdown.Line]) -> list[Step]:
        """What each command does; asks whatever needs the network."""
        steps: list[Step] = []
        word = self._authorization.first_word(context)
        for index, line in enumerate(lines[:MAX_COMMANDS]):
            if line.problem is not None:
                steps.append(Step(AskerError(line.problem)))
                continue
            job, verb = job_to_start(line.text, word), _known_verb(line.text)
            try:
                effect = await self._commands.of(
                    replace(context, line=line.text), parser.parse(line.text, word), index
                )
                steps.append(Step(effect, job, verb))
            except AskerError as error:
                steps.append(Step(error, job, verb))
        if len(lines) > MAX_COMMANDS:
            refusal = AskerError(f"One comment may give {MAX_COMMANDS} commands; the rest was left out.")
            steps.append(Step(refusal))
        return steps

    async def decide(
        self,
        delivery: Delivery,
        context: RequestContext,
        steps: Sequence[Step],
        answers: Replies,
        note: str,
        *,
        press: Press | None = None,
    ) -> None:
        """Carry out all commands in one transaction with their answers, which closes the delivery.

        Nothing is carried out for a `press` that repeats another one of a moment ago.
        """
        failed = False

        def decide(session: Session) -> None:
            nonlocal failed
            texts: list[str] = []
            refusals: list[JournalEntry] = []
            failed = False
            if press is not None and self._repeats(session, press):
                self._settlement.close(session, delivery, "handled", f"{note} once more")
                return
            for step in steps:
                try:
                    if isinstance(step.effect, AskerError):
                        raise step.effect
                    text = step.effect(session)
                except AskerError as error:
                    failed, text = True, messages.error_reply(str(error))
                    refusals += self.refusals(delivery, context, step.job, error, step.verb)
                if text:
                    texts.append(text)
            posts.add(session, answers(texts, failed))
            journal.refuse(session, refusals)
            self._settlement.close(session, delivery, "handled", note)

        await self._settlement.write(decide)
        self._settlement.log(delivery, "handled", note, problem=failed)

    async def step(self, context: RequestContext, command: parser.Command, job: str | None) -> Step:
        """What one command does that nobody typed, such as that of a form."""
        verb = type(command).__name__.lower()
        try:
            return Step(await self._commands.of(context, command, 0), job, verb)
        except AskerError as error:
            return Step(error, job, verb)

    async def repeats(self, press: Press) -> bool:
        """Whether it was pressed a moment ago, for what is not decided in a transaction of its own."""
        found = False

        def look(session: Session) -> None:
            nonlocal found
            found = self._repeats(session, press)

        await self._settlement.write(look)
        return found

    def _repeats(self, session: Session, press: Press) -> bool:
        """Whether it was pressed a moment ago; if not, it is from now on."""
        now = self._clock()
        idempotency.hold(session)
        if idempotency.find(session, press.who, press.button, since=now - press.seconds) is not None:
            return True
        row = Idempotency(caller=press.who, key=press.button, fingerprint="", created_at=now)
        idempotency.remember(session, row)
        return False

    def refusals(
        self,
        delivery: Delivery,
        context: RequestContext,
        job: str | None,
        error: AskerError,
        verb: str | None = None,
    ) -> list[JournalEntry]:
        """What the journal keeps of a refusal; `why` tells it to those of the repository it names."""
        entries = refusal(context, error, delivery.received_at, job=job, verb=verb)
        for row in entries:
            if job is not None:
                row.repository = self._authorization.refused_from(context, job)
        return entries


def job_to_start(line: str, word: str) -> str | None:
    """The job that a command is to start, where it names one."""
    try:
        command = parser.parse(line, word)
    except AskerError:
        return None
    return command.name if isinstance(command, parser.Run | parser.Rerun) else None


def shows_only(lines: Sequence[markdown.Line]) -> bool:
    """Whether all that is asked for is to be shown something, which is outdated when it is asked again."""
    return all(line.problem is None and _verb(line.text) in SHOWN for line in lines)


def verbs_of(lines: Sequence[str]) -> str:
    """The second word of each command; what else was typed may be private."""
    return ", ".join(_verb(line) for line in lines)


def _known_verb(line: str) -> str | None:
    """The verb of a command, unless it is none: what else was typed may be private."""
    verb = _verb(line)
    return verb if verb in grammar.VERBS else None


def _verb(line: str) -> str:
    words = line.split(maxsplit=2)
    return words[1][:20] if len(words) > 1 else "help"
