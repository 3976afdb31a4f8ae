"""What callers over HTTP ask for: start, stop and repeat runs, single commands, another tag of an image.

A door to what `start`, `rerun`, `exec`, `cancel` and `tags` do for everybody: it knows who asks by their
scopes, and a request with a key gives the run that it gave, whatever has changed since.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

from bot.access.callers import Caller
from bot.access.scopes import EXEC
from bot.catalog.exec import Single
from bot.errors import Elsewhere, Missing, NotAllowed, ProblemType, Refused, RetryLater
from bot.handlers.actions import Actions
from bot.handlers.orders import Order
from bot.handlers.repeats import KeyedRequest, Repeats, fingerprint
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest, StartResult
from bot.handlers.tags import ImageTagHandler
from bot.store import Session, Store
from bot.tables import ImageTag, Run
from bot.text.wording import quoted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StartConditions:
    """On what terms a run is started: the caller's idempotency key, and what has to hold in its transaction.

    `moves`: the tag that is asked for is the job's from then on. `check` raises where the run may not be.
    """

    key: str | None = None
    moves: bool = False
    check: Callable[[Session], None] = lambda session: None


PLAIN = StartConditions()


class CallHandler:
    """Raises `bot.errors.AskerError`, whose kind says what is wrong, and `RetryLater` for the database."""

    def __init__(self, actions: Actions, tags: ImageTagHandler, repeats: Repeats, store: Store) -> None:
        self._actions = actions
        self._tags = tags
        self._repeats = repeats
        self._store = store

    async def start(
        self, caller: Caller, name: str, request: StartRequest, conditions: StartConditions = PLAIN
    ) -> StartResult:
        """Start a run of the job `name`."""
        _admit(caller, name)
        content = _content(request) | {"moves": conditions.moves}
        keyed = KeyedRequest(caller, conditions.key, fingerprint("start", name, content))
        if (earlier := await self._repeats.known(keyed)) is not None:
            return earlier
        context = self._actions.authorization.of_caller(caller)
        if name not in self._actions.authorization.catalog(context).jobs:
            raise Missing("There is no such job.", ProblemType.NO_SUCH_JOB)
        order = await _asking_github(self._actions.starts.order(context, name, request), _COMMIT)

        def enqueue(session: Session) -> Run:
            if conditions.moves and request.image_tag is not None:
                self._tags.choose(session, order.job, request.image_tag, caller)
            return self._actions.enqueuer.enqueue(session, order)

        return await self._repeats.write(keyed, enqueue, conditions.check)

    async def move(self, caller: Caller, name: str, tag: str, check: Callable[[Session], None]) -> ImageTag:
        """Let the job `name` run this tag of its image from now on; nothing is run.

        `check` raises in the transaction where that may not be.
        """
        _admit(caller, name)
        return await self._tags.move(name, tag, caller, check)

    async def follow(self, caller: Caller, name: str) -> None:
        """Let the job `name` run again what its image says."""
        _admit(caller, name)
        if caller.login is not None:
            authorization = self._actions.authorization
            await authorization.require_job(authorization.of_caller(caller), name)
        await self._tags.follow(name, caller)

    async def cancel(self, caller: Caller, reference: RunReference) -> Run:
        """Ask a run to stop; gives it as it is then. One that has finished stays as it is."""
        stop = await self._actions.cancels.cancel(self._actions.authorization.of_caller(caller), reference)
        return (await self._store.write(stop)).run

    async def rerun(
        self,
        caller: Caller,
        number: int | None,
        request: RerunRequest | None = None,
        conditions: StartConditions = PLAIN,
    ) -> StartResult:
        """Repeat a run as it was, or changed where said; None: the last one that the caller started."""
        request, context = request or RerunRequest(), self._actions.authorization.of_caller(caller)
        subject = "last" if number is None else str(number)
        keyed = KeyedRequest(caller, conditions.key, fingerprint("rerun", subject, _content(request)))
        if (earlier := await self._repeats.known(keyed)) is not None:
            return earlier
        old = await self._actions.selection.find(context, RunReference(number))
        sentence = _COMMIT if request.latest else _REPETITION
        order = await _asking_github(self._actions.reruns.order(context, old, request), sentence)
        return await self._enqueue(keyed, order, conditions)

    async def execute(
        self, caller: Caller, single: Single, conditions: StartConditions = PLAIN
    ) -> StartResult:
        """Run one command; on the process engine in a checkout of a commit of the image's repository."""
        _admit(caller, EXEC)
        keyed = KeyedRequest(caller, conditions.key, fingerprint(EXEC, single.image, asdict(single)))
        if (earlier := await self._repeats.known(keyed)) is not None:
            return earlier
        context = self._actions.authorization.of_caller(caller)
        order = await _asking_github(self._actions.execs.order(context, single), _COMMIT)
        return await self._enqueue(keyed, order, conditions)

    async def _enqueue(self, keyed: KeyedRequest, order: Order, conditions: StartConditions) -> StartResult:
        return await self._repeats.write(
            keyed, lambda session: self._actions.enqueuer.enqueue(session, order), conditions.check
        )


_COMMIT = "GitHub does not answer, so the commit is not known; try again soon."
_REPETITION = "GitHub does not answer, so the run cannot be repeated; try again soon."


def _content(request: StartRequest | RerunRequest) -> dict[str, object]:
    """What is asked for, as requests are compared; what an earlier version did not know only where it is."""
    content: dict[str, object] = asdict(request)
    if content["override"] is None:
        del content["override"]
    return content


def _admit(caller: Caller, job: str) -> None:
    if not caller.may_run(job):
        raise NotAllowed(f"{quoted(caller.name)} may not start {quoted(job)}.", "scopes")


async def _asking_github(answer: Awaitable[T], sentence: str) -> T:
    """What `answer` gives; `Elsewhere` with `sentence` where GitHub cannot be asked."""
    try:
        return await answer
    except (RetryLater, Refused):
        raise Elsewhere(sentence) from None
