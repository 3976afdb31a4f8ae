"""`freeze` and `thaw`: people keep everything, or some of it, from starting; and who may override it.

Whoever may run one of the jobs that a freeze concerns may begin it; one of everything, or by a pattern,
takes more, see `bot.handlers.everything`. It is ended by who began it and by whom `override` names, and where
that names nobody by whoever could have begun it.
"""

from collections.abc import Callable, Sequence

from bot.access import people
from bot.access.policy import Subject
from bot.catalog.catalog import Job
from bot.catalog.freezes import REASON_CHARACTERS, Scope, Standing
from bot.catalog.freezes import Subject as Frozen
from bot.commands import parser
from bot.errors import AskerError, Missing, NotAllowed, ProblemType, Unfit
from bot.handlers import everything
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.journal import entry
from bot.handlers.moments import moment
from bot.messages import freezes as words
from bot.registry import Registry
from bot.states import EntryKind
from bot.store import Session, freezes, journal
from bot.tables import JournalEntry, ManualFreeze
from bot.text import vocabulary
from bot.text.wording import did_you_mean, quoted

LONGEST = 366 * 86400.0
"""Seconds: no freeze that somebody begins is for longer, unless it is without an end."""


class FreezeHandler:
    """The two verbs, and the right to override; each verb gives an effect for one transaction."""

    def __init__(self, authorization: Authorization, registry: Registry, clock: Callable[[], float]) -> None:
        self._authorization = authorization
        self._registry = registry
        self._clock = clock

    async def freeze(
        self, context: RequestContext, command: parser.Freeze
    ) -> Callable[[Session], tuple[Standing, str]]:
        """Begin one; gives it and the answer."""
        why = command.why or None
        if why is not None and (len(why) > REASON_CHARACTERS or not why.isprintable()):
            sentence = f"A reason is one line of at most {REASON_CHARACTERS} characters."
            raise Unfit(sentence, [(("why",), sentence)])
        until = self._until(command)
        scope = scope_of(command)
        if scope.is_wide:
            refused = await everything.refusal(self._authorization, context, f"freezing {_what(scope)}")
            if refused is not None:
                raise refused
        else:
            await self._require(context, scope, known_only=True)
        word = self._authorization.first_word(context)

        def effect(session: Session) -> tuple[Standing, str]:
            now = self._clock()
            row = ManualFreeze(
                jobs=list(scope.jobs),
                locks=list(scope.locks),
                environments=list(scope.environments),
                why=why,
                actor=context.actor,
                created_at=now,
                until=until,
            )
            if freezes.begin(session, row, now=now) is None:
                raise AskerError(f"There are {freezes.MOST} freezes already; end some of them first.")
            record = entry(context, EntryKind.FROZEN, _about(scope), now, reason=why, until=until)
            journal.record(session, [_ruled(context, scope, record)])
            made = freezes.standing(row)
            return made, words.begun(made, command=word)

        return effect

    async def thaw(self, context: RequestContext, command: parser.Thaw) -> Callable[[Session], str]:
        """End one of the same scope; gives the answer."""
        scope = scope_of(command)
        may_end = await self._may_end(context, scope)
        word = self._authorization.first_word(context)

        def effect(session: Session) -> str:
            now = self._clock()
            mine = [row for row in freezes.going(session, now=now) if freezes.scope_of(row) == scope]
            calendar = self._registry.config.calendar
            if not mine:
                on = [each for each in freezes.standings(session, calendar, now=now) if each.is_on(now)]
                raise Missing(words.not_frozen(scope, on, command=word), ProblemType.NO_SUCH_FREEZE)
            if not may_end and not all(people.is_same(row.actor, context.actor) for row in mine):
                raise NotAllowed(self._whom_to_ask(context, scope, mine[0].actor))
            freezes.end(session, mine, now=now)
            record = entry(context, EntryKind.THAWED, _about(scope), now, by=mine[0].actor)
            journal.record(session, [_ruled(context, scope, record)])
            return words.ended(scope, self._still(session, scope, now))

        return effect

    async def _may_end(self, context: RequestContext, scope: Scope) -> bool:
        """Whether they may end it whoever began it; raises `AskerError` where not even if they did."""
        what = f"thawing {_what(scope)}"
        if scope.is_wide and await everything.refusal(self._authorization, context, what) is None:
            return True
        await self._require(context, scope, known_only=False)
        if scope.is_wide:
            return False
        return not self._registry.config.override or await self.may_override(context, "thawing")

    async def may_override(self, context: RequestContext, what: str) -> bool:
        """Whether `override` names who asks, asked anew."""
        rule = self._authorization.rule(self._registry.config.override)
        return (await self._authorization.decide(context, rule, Subject(what), fresh=True)).allowed

    def _still(self, session: Session, scope: Scope, now: float) -> dict[str, object] | None:
        """Another freeze that is on for the same: only what is named can be looked up."""
        calendar = self._registry.config.calendar
        job = scope.jobs[0] if scope.jobs else ""
        named = Frozen(
            job,
            scope.locks[:1],
            scope.environments[0] if scope.environments else None,
        )
        return freezes.refusal(session, calendar, named, now=now)

    def _whom_to_ask(self, context: RequestContext, scope: Scope, actor: str) -> str:
        authorization = self._authorization
        names = everything.names(authorization) if scope.is_wide else authorization.overriders
        others = ", ".join(quoted(each) for each in names[:5])
        if context.public or not names:
            others = "those of `pages.admins` and `override`" if scope.is_wide else "those of `override`"
        return f"{quoted(vocabulary.who(actor))} began this freeze; they may end it, and so may {others}."

    def _until(self, command: parser.Freeze) -> float | None:
        now = self._clock()
        if command.until is not None:
            until = moment(command.until, "UTC", now)
        elif command.duration is not None:
            until = now + command.duration
        else:
            return None
        if until - now > LONGEST:
            sentence = "A freeze is for a year at most, or without an end."
            raise Unfit(sentence, [(("duration",), sentence)])
        return until

    async def _require(self, context: RequestContext, scope: Scope, *, known_only: bool) -> None:
        """Raise `AskerError` unless the asker may run a job that the freeze would keep from starting.

        Which environments there are only GitHub knows: one that is named may concern every job.
        """
        catalog = self._authorization.catalog(context)
        concerned: Sequence[Job] = [
            job
            for job in catalog.jobs.values()
            if scope.environments or scope.covers(Frozen(job.name, job.locks))
        ]
        caller = context.caller
        if caller is not None:
            concerned = [job for job in concerned if caller.may_run(job.name)]
        if not concerned and not known_only and caller is None:
            concerned = list(catalog.jobs.values())  # what it named may be gone
        if not concerned:
            if caller is not None:
                raise NotAllowed(f"{quoted(caller.name)} may run nothing that this would freeze.")
            if known_only:
                names = [*catalog.jobs, *(lock for job in catalog.jobs.values() for lock in job.locks)]
                name = next(iter((*scope.jobs, *scope.locks)), "")
                hint = did_you_mean(name, dict.fromkeys(names))
                raise Missing(f"There is nothing called {quoted(name)} to freeze.{hint}")
        refusal: AskerError | None = None
        for job in concerned:
            try:
                await self._authorization.admit(context, job)
            except AskerError as error:
                refusal = refusal or error
            else:
                return
        raise refusal or AskerError("There is no job that this would keep from starting.")


def _what(scope: Scope) -> str:
    return "everything" if scope.is_all else "by a pattern"


def _about(scope: Scope) -> str:
    return f"freeze:{words.scope_text(scope)}"


def _ruled(context: RequestContext, scope: Scope, record: JournalEntry) -> JournalEntry:
    """`record` by the rule that let them do this to everything, where it is of that."""
    record.rule = (everything.rule(context) if scope.is_wide else None) or record.rule
    return record


def scope_of(command: parser.Freeze | parser.Thaw) -> Scope:
    """Of what a command speaks."""
    return Scope(
        tuple(filter(None, [command.job])),
        tuple(filter(None, [command.lock])),
        tuple(filter(None, [command.environment])),
    )
