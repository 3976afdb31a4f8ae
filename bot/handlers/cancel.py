"""`cancel`: which run is meant where its number is not given, and that it is stopped.

A name may stand for several runs under way. What was started by the same comment is meant first, then what is
told of where the command was given (over HTTP: what the caller started), then everything; where that leaves
more than one, they are listed and none is stopped. What was asked to stop before is not meant again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot import messages
from bot.access import people
from bot.errors import AskerError, Missing, ProblemType
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.journal import rule_of
from bot.handlers.places import GitHubPlace, SlackPlace
from bot.handlers.selection import RunReference
from bot.posting.audience import outward
from bot.posting.targets import ChannelPlace
from bot.states import State
from bot.store import Session, Store, backfills, posts, runs
from bot.store.journal_entries import Grounds
from bot.tables import Run
from bot.text.wording import quoted

CANDIDATES = 50
"""Runs under way that are looked at, the newest ones."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A run that was asked to stop, as it is then; `late`: it had ended before, and stays as it was."""

    run: Run
    late: bool = False


class CancelHandler:
    """Stops one run."""

    def __init__(self, authorization: Authorization, store: Store, clock: Callable[[], float]) -> None:
        self._authorization = authorization
        self._store = store
        self._clock = clock

    async def cancel(self, context: RequestContext, reference: RunReference) -> Callable[[Session], Stop]:
        """What stops the run that is meant.

        Raises `AskerError` where the asker may not, or where several may be meant, which it lists.
        """
        if reference.name is not None:
            self._authorization.catalog(context).job(reference.name)
        if context.scoped is None:  # whose scopes say it all
            for run in await self._store.read(lambda s: self._candidates(s, context, reference)):
                try:
                    await self._authorization.require_run(context, run)
                except AskerError:
                    continue  # the transaction, which may find other runs, says so

        def effect(session: Session) -> Stop:
            run, now = self._meant(session, context, reference), self._clock()
            if run.state == State.FINISHED:
                return Stop(run, late=True)
            repository = run.repository or context.repository
            rule = rule_of(context, job=run.job, repository=repository)
            grounds = Grounds(rule, context.cause)
            for number in backfills.waiting_with(session, run):
                runs.request_stop(session, number, by=context.actor, now=now, grounds=grounds)
            return Stop(runs.request_stop(session, run.identity, by=context.actor, now=now, grounds=grounds))

        return effect

    def _candidates(
        self, session: Session, context: RequestContext, reference: RunReference
    ) -> Sequence[Run]:
        if reference.number is not None:
            run = runs.get(session, reference.number)
            return [] if run is None else [run]
        if reference.name is not None:
            return runs.unfinished(session, job=reference.name, limit=CANDIDATES)
        if context.repository is not None:
            return runs.unfinished(session, repository=context.repository, limit=CANDIDATES)
        return runs.unfinished(session, actor=context.actor, limit=CANDIDATES)

    def _meant(self, session: Session, context: RequestContext, reference: RunReference) -> Run:
        """The run, within the transaction: an earlier command of the same comment may have made it."""
        mine: list[Run] = []
        refusal: AskerError | None = None
        for run in self._candidates(session, context, reference):
            try:
                self._authorization.check_run(context, run)
                mine.append(run)
            except AskerError as error:
                refusal = refusal or error
        if not mine:
            raise refusal or _missing(context, reference)
        mine = [run for run in mine if run.stop_by is None] or mine  # the others end already
        near = _nearest(session, context, mine)
        if len(near) == 1:
            return near[0]
        shown = [outward(run) for run in near] if context.public else near
        raise AskerError(
            "Several runs are under way that may be meant, so none was stopped. Name one, as in"
            f" {quoted(f'{self._authorization.first_word(context)} cancel #{near[0].number}')}:\n\n"
            + messages.status_reply(shown, rest=self._rest(context, reference))
        )

    def _rest(self, context: RequestContext, reference: RunReference) -> str:
        """The command that lists more runs than an answer shows."""
        name = [reference.name] if reference.name else []
        return " ".join([self._authorization.first_word(context), "status", *name, "--page 1"])


def _nearest(session: Session, context: RequestContext, candidates: Sequence[Run]) -> Sequence[Run]:
    """Those that the same comment started, else those of the same place, else all."""
    if len(candidates) == 1:
        return candidates
    same = [run for run in candidates if run.key.startswith(f"{context.key}:")]
    if same:
        return same
    if context.caller is not None:
        return [run for run in candidates if people.is_same(run.actor, context.actor)] or candidates
    places: list[str] = []
    if isinstance(context.place, GitHubPlace):
        places = [f"github_comment:{context.place.repository}#{context.place.number}"]
    elif isinstance(context.place, SlackPlace):
        thread = context.place.thread
        places = [f"slack_message:{ChannelPlace(name, thread).key}" for name in context.place.spellings]
    here = posts.told_at(session, [run.identity for run in candidates], places)
    return [run for run in candidates if run.identity in here] or candidates


def _missing(context: RequestContext, reference: RunReference) -> AskerError:
    if reference.number is not None:
        return Missing(f"There is no run #{reference.number}.", ProblemType.NO_SUCH_RUN)
    if reference.name is not None:
        return Missing(f"There is no unfinished run of {quoted(reference.name)}.", ProblemType.NO_SUCH_RUN)
    return Missing(
        f"There is no unfinished run {'here' if context.caller is None else 'that you started'}.",
        ProblemType.NO_SUCH_RUN,
    )
