"""What a token may do: the words by which that is said, and what each of them opens. Pure.

`read` sees everything but the journal, which `audit` reads; `run:JOB` starts, stops and sees that one job,
`run:*` every job; `exec` runs single commands and sees those; `admin` may do all of it, and change jobs,
hooks and tokens. What no word opens is closed.

`approve:JOB` is no token's: a person has it of a job whose `approval` names them, whatever else they may.
"""

from collections.abc import Collection, Iterable

from bot.text.names import job_name

READ = "read"
AUDIT = "audit"
EXEC = "exec"
ADMIN = "admin"
EVERY_JOB = "run:*"

RUN = "run:"
"""How a scope begins that is for one job."""

APPROVE = "approve:"
"""How the right of a person begins to say yes to runs of one job."""

MOST = 100
"""Scopes of one token."""

EXPECTED = "expected read, audit, run:JOB, run:*, exec or admin"


def scope(text: str) -> str:
    """`text` if it is a scope, else ValueError. Whether there is such a job is not asked: it may come yet."""
    if text in (READ, AUDIT, EXEC, ADMIN, EVERY_JOB):
        return text
    if not text.startswith(RUN):
        raise ValueError(EXPECTED)
    try:
        job = job_name(text.removeprefix(RUN))
    except ValueError:
        raise ValueError(EXPECTED) from None
    if job == EXEC:
        raise ValueError(f"{EXPECTED}; no job is called {EXEC}, which is a scope of its own")
    return text


def ordered(scopes: Iterable[str]) -> list[str]:
    """Each once, in the order in which they are always shown; ValueError for none, many or a wrong one."""
    unique = sorted({scope(each) for each in scopes}, key=lambda each: (each.startswith(RUN), each))
    if not unique:
        raise ValueError(f"{EXPECTED}, at least one")
    if len(unique) > MOST:
        raise ValueError(f"expected at most {MOST} scopes")
    return unique


def may_change(scopes: Collection[str]) -> bool:
    """Whether these are for changing jobs, hooks and tokens, and for removing runs."""
    return ADMIN in scopes


def may_see_all(scopes: Collection[str]) -> bool:
    """Whether these show everything: all pages, all runs, builds, jobs and locks."""
    return READ in scopes or ADMIN in scopes


def may_audit(scopes: Collection[str]) -> bool:
    """Whether these are for reading the journal."""
    return AUDIT in scopes or ADMIN in scopes


def may_execute(scopes: Collection[str]) -> bool:
    """Whether these are for running a single command in an image."""
    return EXEC in scopes or ADMIN in scopes


def may_run(scopes: Collection[str], job: str) -> bool:
    """Whether these are for starting, stopping, pausing and repeating this job; single commands: `exec`."""
    if job == EXEC:
        return may_execute(scopes)
    return ADMIN in scopes or EVERY_JOB in scopes or RUN + job in scopes


def admin_rule(actor: str) -> str:
    """By what an admin is one: a scope of the token, being named for the pages, or having the database."""
    kind = actor.partition(":")[0]
    return {"github": "pages.admins", "terminal": "database"}.get(kind, f"scope: {ADMIN}")


def opening(scopes: Collection[str], job: str | None) -> str | None:
    """The narrowest of these by which this job may be run; None for a job: the widest that changes things."""
    if job is not None:
        narrow = EXEC if job == EXEC else RUN + job
        wide = () if job == EXEC else (EVERY_JOB,)
        return next((each for each in (narrow, *wide, ADMIN) if each in scopes), None)
    found = next((each for each in (ADMIN, EVERY_JOB, EXEC) if each in scopes), None)
    return found or next((each for each in sorted(scopes) if _is_for_running(each)), None)


def may_run_some(scopes: Collection[str]) -> bool:
    """Whether these are for running anything at all."""
    return any(_is_for_running(each) for each in scopes)


def may_run_any(scopes: Collection[str], jobs: Iterable[str]) -> bool:
    """Whether these are for one of these jobs, or for every job there is or is not."""
    return EVERY_JOB in scopes or ADMIN in scopes or any(may_run(scopes, job) for job in jobs)


def approved_jobs(scopes: Collection[str]) -> frozenset[str]:
    """The jobs to whose runs these are for saying yes: of those alone that wait for that."""
    return frozenset(each.removeprefix(APPROVE) for each in scopes if each.startswith(APPROVE))


def without_approving(scopes: Collection[str]) -> frozenset[str]:
    """What of these a token could have as well."""
    return frozenset(each for each in scopes if not each.startswith(APPROVE))


def _is_for_running(scope: str) -> bool:
    return scope not in (READ, AUDIT) and not scope.startswith(APPROVE)


def seen_jobs(scopes: Collection[str]) -> frozenset[str] | None:
    """The jobs whose definition, runs, builds and logs these show; None for all there are.

    Whoever starts a job has to be able to see what became of it, and of no other.
    """
    if may_see_all(scopes) or EVERY_JOB in scopes:
        return None
    named = {each.removeprefix(RUN) for each in scopes if each.startswith(RUN)}
    return frozenset(job for job in named | {EXEC} if may_run(scopes, job))
