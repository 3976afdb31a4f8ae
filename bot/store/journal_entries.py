"""What the journal says of runs and builds: of each row the same facts, whichever door it came by. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.access.scopes import admin_rule
from bot.states import SUPERSEDED, EntryKind
from bot.tables import Build, JournalEntry, Run, Token

REPLACED = "concurrency: replace"
"""The rule by which a run stops another one of its job."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """By which rule somebody may do something, and through which door they asked for it."""

    rule: str | None = None
    cause: str | None = None


NONE = Grounds()

FILE = "file"
"""The actor of what the configuration file says, and the rule by which it may."""


def run_started(run: Run, rule: str | None) -> JournalEntry:
    """Somebody or something had `run` stored."""
    repeated = run.rerun_of is not None
    facts = {
        "version": run.version,
        "parameters": run.parameters,
        "arguments": run.arguments,
        "image": run.image,
        "ref": run.ref,
        "commit": run.commit,
        "pull_request": run.pull_request,
        "environment": run.environment,
        "repeats": run.rerun_of,
        "follows": run.follows,
        "chain": run.chain,
        "hold": run.hold,
    }
    kind = EntryKind.RUN_REPEATED if repeated else EntryKind.RUN_STARTED
    return _of_run(run, kind, run.created_at, run.actor, rule=rule, facts=_known(facts))


def run_finished(run: Run) -> JournalEntry:
    """What became of `run`, told under the name of who had asked for it."""
    facts = {
        "result": run.result,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "commit": run.commit,
        "digest": run.digest,
        "stop_by": run.stop_by,
    }
    return _of_run(run, EntryKind.RUN_FINISHED, run.finished_at or 0.0, run.actor, facts=_known(facts))


def run_released(run: Run, held_by: str, now: float) -> JournalEntry:
    """Nothing holds `run` any more, so that it goes to the gate, told under the name of who had asked."""
    approvers = [each["actor"] for each in (run.approval or {}).get("given", ())]
    facts = _known({"approved_by": approvers})
    return _of_run(run, EntryKind.RUN_RELEASED, now, run.actor, rule=f"hold: {held_by}", facts=facts)


def run_removed(run: Run, by: str, rule: str | None, now: float) -> JournalEntry:
    """Somebody took `run` away; what it was goes with it, so it is said here."""
    facts = {"result": run.result, "by": run.actor, "created_at": run.created_at}
    return _of_run(run, EntryKind.RUN_REMOVED, now, by, rule=rule, facts=_known(facts))


def build_requested(build: Build, rule: str | None) -> JournalEntry:
    """Somebody or something needed a build that there was not."""
    facts = {"image": build.image, "ref": build.ref, "commit": build.commit}
    return _of_build(
        build, EntryKind.BUILD_REQUESTED, build.created_at, build.actor, rule=rule, facts=_known(facts)
    )


def finished(row: Run | Build) -> JournalEntry:
    """What became of a run or a build."""
    if isinstance(row, Run):
        return run_finished(row)
    facts = {
        "result": row.result,
        "reason": row.reason,
        "exit_code": row.exit_code,
        "image": row.image,
        "commit": row.commit,
        "digest": row.digest,
        "stop_by": row.stop_by,
    }
    return _of_build(row, EntryKind.BUILD_FINISHED, row.finished_at or 0.0, row.actor, facts=_known(facts))


def cancelled(row: Run | Build, by: str, grounds: Grounds, now: float) -> JournalEntry:
    """Somebody, a newer run or a newer push wants a run or a build to stop."""
    rule = grounds.rule
    if row.reason == SUPERSEDED:
        rule = "superseded by a newer push"
    elif by.startswith("run:"):
        rule = REPLACED
    more: dict[str, Any] = {"rule": rule, "cause": grounds.cause}
    if isinstance(row, Run):
        return _of_run(row, EntryKind.RUN_CANCELLED, now, by, facts={"state": row.state}, **more)
    return _of_build(row, EntryKind.BUILD_CANCELLED, now, by, facts={"image": row.image}, **more)


def config_changed(
    sections: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]], at: float
) -> list[JournalEntry]:
    """What a file says anew of sections (name: as it was, as it is) besides jobs, which have versions."""
    facts = {
        section: sorted(name for name in {**was, **here} if was.get(name) != here.get(name))
        for section, (was, here) in sections.items()
    }
    if not any(facts.values()):
        return []
    changed, subject, facts = EntryKind.CONFIG_CHANGED, "config", _known(facts)
    return [JournalEntry(at=at, kind=changed, actor=FILE, subject=subject, rule=FILE, facts=facts)]


def of_admin(
    kind: EntryKind, by: str, subject: str, at: float, *, job: str | None = None, **facts: Any
) -> JournalEntry:
    """What an admin changed."""
    return JournalEntry(
        at=at, kind=kind, actor=by, subject=subject, job=job, rule=admin_rule(by), facts=_known(facts)
    )


def token_created(token: Token, by: str) -> JournalEntry:
    """A token was made, with its scopes and its end."""
    scopes, ends = list(token.scopes), token.expires_at
    subject = f"token:{token.name}"
    return of_admin(EntryKind.TOKEN_CREATED, by, subject, token.created_at, scopes=scopes, expires_at=ends)


def login(kind: EntryKind, who: str, at: float, *, by: str | None = None, **facts: Any) -> JournalEntry:
    """The login of a person (`github:LOGIN`) or with a token begins or ends; `by` whom, if by others."""
    rule = admin_rule(by) if by is not None and by != who else None
    name = who.partition(":")[2]
    return JournalEntry(
        at=at, kind=kind, actor=by or who, subject=f"login:{name}", rule=rule, facts=_known(facts)
    )


def _of_run(run: Run, kind: EntryKind, at: float, actor: str, **more: Any) -> JournalEntry:
    if kind in (EntryKind.RUN_STARTED, EntryKind.RUN_REPEATED):
        more["cause"] = run.cause
    return JournalEntry(
        at=at,
        kind=kind,
        actor=actor,
        subject=f"run:{run.number}",
        job=run.job,
        run=run.number,
        repository=run.repository,
        **more,
    )


def _of_build(build: Build, kind: EntryKind, at: float, actor: str, **more: Any) -> JournalEntry:
    if kind is EntryKind.BUILD_REQUESTED:
        more["cause"] = build.cause
    return JournalEntry(
        at=at,
        kind=kind,
        actor=actor,
        subject=f"build:{build.number}",
        repository=build.repository or None,
        **more,
    )


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those facts that there are."""
    return {name: value for name, value in facts.items() if value not in (None, {}, [])}
