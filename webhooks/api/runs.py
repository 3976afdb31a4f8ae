"""The API's reading half: runs, builds and locks. See docs/api.md."""

from collections.abc import Callable
from urllib.parse import urlencode

from bot.handlers.start import StartResult
from bot.states import State
from bot.store import Session, Store, attempts, builds, chains, locks, results, runs
from bot.tables import Attempt, Run
from webhooks.api import lock_responses, queries, responses
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import Problem, missing, required


class RunHandlers:
    """Whoever gets here may see what they show. Lists have only what the visitor may see."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def list_runs(self, request: ApiRequest) -> responses.Runs:
        """Runs, newest first."""
        query, jobs = dict(request.query), request.visitor.jobs
        limit = queries.number(query, "limit") or 50
        before = queries.number(query, "before")
        first = queries.number(query, "chain")
        state, job, ends = query.get("state"), query.get("job"), queries.words(query, "result")
        if first is not None and (state or job or ends):
            raise Problem(400, "chain: a chain is given whole; leave `job`, `state` and `result` out.")
        if ends and state not in (None, State.FINISHED):
            raise Problem(400, "result: only finished runs have one; leave `state` out.")

        def read(session: Session) -> tuple[list[Run], dict[int, list[Attempt]]]:
            if first is not None:
                rows = chains.members(session, first, jobs=jobs, limit=limit + 1, before=before)
            elif ends:
                rows = results.page(session, ends, job=job, jobs=jobs, limit=limit + 1, before=before)
            else:
                rows = runs.page(session, job=job, jobs=jobs, state=state, limit=limit + 1, before=before)
            return rows, attempts.of_runs(session, [run.identity for run in rows])

        rows, ended = await self._store.read(read)
        page, more, now = rows[:limit], None, self._clock()
        if len(rows) > limit:
            query["before"] = str(page[-1].number)
            more = f"/api/runs?{urlencode(query)}"
        listed = [responses.ListedRun.of_run(run, ended[run.identity], now) for run in page]
        return responses.Runs(runs=listed, next=more)

    async def get_run(self, request: ApiRequest) -> responses.Run:
        """One run."""
        number = request.number
        run, ended = await self._store.read(
            lambda s: (runs.get(s, number), attempts.of_runs(s, [number])[number])
        )
        return responses.Run.of_run(required(run, missing("runs", number)), ended, self._clock())

    async def get_build(self, request: ApiRequest) -> responses.Build:
        """One build."""
        number = request.number
        build = await self._store.read(lambda session: builds.get(session, number))
        return responses.Build.of_build(required(build, missing("builds", number)), self._clock())

    async def list_locks(self, request: ApiRequest) -> lock_responses.Locks:
        """What is locked, by whom, why and until when."""
        now = self._clock()
        return lock_responses.Locks.of(locks=await self._store.read(lambda s: locks.standing(s, now=now)))


async def run_document(store: Store, run: Run, now: float) -> responses.Run:
    """A run with its attempts."""
    ended = await store.read(lambda s: attempts.of_runs(s, [run.identity]))
    return responses.Run.of_run(run, ended[run.identity], now)


async def started(
    store: Store, result: StartResult, now: float, *, waited: bool = False
) -> Reply[responses.Run]:
    """201 with the run and its address; 200 where the same call had made it before.

    `waited`: the run is given as it was seen later than it was made.
    """
    run, new = result.run, result.new
    # One that is new has no attempts that ended, which need not be asked for.
    fresh = new and not waited
    document = responses.Run.of_run(run, [], now) if fresh else await run_document(store, run, now)
    return Reply(document, 201 if new else 200, f"/api/runs/{run.number}")
