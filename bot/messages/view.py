"""What a card says, before it is put into anybody's syntax."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.access.scopes import EXEC
from bot.catalog.retries import Ended, RetryDecision, decision_of
from bot.messages import approvals, waits
from bot.messages.chains import Step
from bot.messages.differences import differences
from bot.messages.reasons import explained, explanation, message
from bot.messages.text import clean
from bot.states import BUILD_FAILED, Cause, State, Wait, attempts_allowed, shown_state
from bot.tables import Build, Run
from bot.text import vocabulary
from bot.text.bars import bar, steps
from bot.text.names import schedule_key
from bot.text.vocabulary import Word, duration, moment
from executor.spec import Result

_SHA256 = re.compile(r"sha256:([0-9a-f]{64})\b")
_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,254}", re.ASCII)
_PAGES = {
    "ghcr.io": "https://ghcr.io/",
    "quay.io": "https://quay.io/repository/",
    "docker.io": "https://hub.docker.com/r/",
}
"""Where registries show an image to people; most have no such place."""
PARAMETERS = 20  # how many are shown
TAIL_LINES = 20


@dataclass(frozen=True, slots=True)
class View:
    """A run or a build as people are told of it. Texts are as they came: every syntax cleans its own."""

    noun: str  # run | build
    name: str
    number: int
    state: State
    result: Result | None
    reason: str | None
    message: str | None
    exit_code: int | None
    definition: Mapping[str, object]  # of the job, or what a build is made by
    build_number: int | None  # the build that failed, so that the run could not start
    waiting_for: str | None
    wait: Wait | None  # the kind of that; None: a sentence of the engine
    cause: str
    actor: str
    repository: str | None
    ref: str | None
    commit: str | None
    queued_s: float | None
    ran_s: float | None
    started_at: float | None
    finished_at: float | None
    parameters: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]
    rerun_of: int | None
    override: str | None  # why it starts in spite of a freeze
    differs: tuple[str, ...] | None  # from the run that it repeats; None: that is not at hand
    tick_at: float | None
    schedule: str | None  # by what the schedule that started it is called
    stopped_after: int | None  # failures in a row, with which that schedule stopped
    attempt: int
    attempts: int  # as many as there may be
    tail: tuple[str, ...]
    summary: str | None  # as the job wrote it: hostile Markdown
    image: str | None
    digest: str | None  # of what it ran in, without `sha256:`
    image_page: str | None  # where its registry shows it, if that is one that has pages
    built_by: int | None  # the build that made its image
    pull: int | None  # the pull request that it is of
    single: bool  # one command, not a job
    approvers: tuple[str, ...]  # the actors whose yes counts
    beside: "Beside"
    progress: tuple[int, int] | None

    @property
    def icon(self) -> str:
        """One emoji that says how it stands."""
        return self._word.emoji

    @property
    def _word(self) -> Word:
        return vocabulary.standing(self.state, self.result)

    @property
    def label(self) -> str:
        """What the name is followed by: `build ` for builds, nothing for runs."""
        return "build " if self.noun == "build" else ""

    @property
    def verdict(self) -> str:
        """How it stands in a few words of ours: `failed with exit code 3 after 12s`."""
        words = self._word.verb
        if self.result is None:
            return words + self._which
        if self.result is Result.FAILED and self.exit_code is not None:
            words += f" with exit code {self.exit_code}"
        if self.ran_s is not None:
            words += f" {'in' if self.result is Result.SUCCEEDED else 'after'} {duration(self.ran_s)}"
        return words + self._which

    @property
    def _which(self) -> str:
        """`, attempt 2 of 3`; nothing of a first one, as most are the only one, nor between two of them."""
        going = self.attempt > 1 and self.state is not State.WAITING
        return f", attempt {self.attempt} of {self.attempts}" if going else ""

    @property
    def why(self) -> str | None:
        """What there is to say beyond the verdict: what it waits for, or the reason and its sentence."""
        if self.result is None:
            return (self.waiting_for or "").strip() or None
        return explained(self.reason, self.message, self.definition, self._own_code)

    @property
    def sentences(self) -> str:
        """The same of what has ended, without the code word, which stands elsewhere."""
        return explanation(self.reason, self.message, self.definition, self._own_code)

    @property
    def _own_code(self) -> int | None:
        """The exit code of what failed by itself, not because somebody stopped it."""
        return self.exit_code if self.result is Result.FAILED else None

    @property
    def _given_up(self) -> RetryDecision | None:
        """The rule of the job that denied it the attempts that were left."""
        if self.noun != "run" or self.result is None:
            return None
        found = decision_of(self.definition, Ended(self.attempt, self.result, self.reason, self.exit_code))
        return found if found is not None and found.kind in ("never", "unlisted") else None

    @property
    def bar(self) -> str | None:
        """How far it is, drawn while it runs, or was where it did not come to the end."""
        if self.progress is None or self.result is Result.SUCCEEDED:
            return None
        return bar(*self.progress)

    @property
    def before_why(self) -> str:
        """What parts the verdict from `why`: runs wait for things, and engines say sentences.

        A held run may wait for a yes or its time while its image is built.
        """
        if self.wait is None or self.result is not None:
            return ": "
        return " for " if self.state is State.WAITING else ", waiting for "

    @property
    def build_link(self) -> str | None:
        """The page of the build that failed: what is to be read where a run could not start."""
        return self.beside.build_link if self.build_number is not None else None

    @property
    def changeable(self) -> bool:
        """Whether it can be run with other parameters, of another commit or image."""
        return not self.single and (bool(self.definition.get("parameters")) or self.image is not None)

    @property
    def shows_tail(self) -> bool:
        """Whether the last lines belong on the card."""
        return bool(self.tail) and self.result not in (None, Result.SUCCEEDED)

    @property
    def by(self) -> tuple[str, str]:
        """Who wanted it, and in which words that is told."""
        return vocabulary.lead_in(self.cause), clean(vocabulary.who(self.actor), 80)

    @property
    def person(self) -> tuple[str, str, str]:
        """The same with how it was asked for, as label, value and what follows it."""
        how = vocabulary.how(self.actor, self.cause)
        who = clean(vocabulary.who(self.actor, self.cause), 80)
        return self.by[0], who, f" {how}" if how else ""

    @property
    def waits_for_yes(self) -> bool:
        """Whether somebody can say yes or no to it."""
        return self.wait is Wait.APPROVAL and self.result is None

    @property
    def approved(self) -> tuple[str, ...]:
        """The names of who said yes to it."""
        return tuple(clean(vocabulary.who(actor), 80) for actor in self.approvers)

    @property
    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Label, value and what follows it, of what is worth knowing; only values may come from outside."""
        found: list[tuple[str, str, str]] = []
        if self.exit_code is not None and self.result not in (None, Result.FAILED):
            found.append(("exit code", str(self.exit_code), ""))
        if self.tick_at is not None:
            found.append(("due", moment(self.tick_at), ""))
        if self.stopped_after is not None:
            after = f" after {vocabulary.in_a_row(self.stopped_after)}"
            found.append(("paused the schedule", self.schedule or "", after))
        if self.ref:
            found.append(("ref", self.ref, ""))
        if self.queued_s is not None and self.queued_s >= 1:
            found.append(("queued", duration(self.queued_s), ""))
        if (given_up := self._given_up) is not None:
            where = " is in never" if given_up.kind == "never" else " is not in on"
            found.append(("not tried again:", given_up.rule, where))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is told with a run, as far as it is at hand: the run that it repeats, and where more stands.

    `build_link` leads to the page of its build, `slack_link` to its message in Slack, `pull_link` to its pull
    request, `commit_link` to the commit, `comment_link` to its card there. `line` is the command as it was
    typed, `member` who of Slack asked, by id, `membership` what they are there (`guest`) if no plain member.
    `elapsed_s` is how long it has run, `usual_s` how long the last ones did. `chain` is its own.
    """

    of: Run | None = None
    build_link: str | None = None
    slack_link: str | None = None
    pull_link: str | None = None
    line: str | None = None
    commit_link: str | None = None
    comment_link: str | None = None
    member: str | None = None
    membership: str | None = None
    elapsed_s: float | None = None
    usual_s: float | None = None
    chain: tuple[Step, ...] = ()


ALONE = Beside()


def run_view(run: Run, beside: Beside = ALONE) -> View:
    """What there is to say of a run."""
    of = beside.of
    return _view(
        run,
        noun="run",
        name=run.job,
        waiting_for=waits.sentence(run),
        wait=waits.kind_of(run),
        definition=run.definition,
        build_number=run.build_number if run.reason == BUILD_FAILED else None,
        parameters=_chosen(run),
        arguments=tuple(str(argument) for argument in run.arguments),
        rerun_of=run.rerun_of,
        override=run.override,
        differs=differences(of, run) if of is not None else None,
        tick_at=run.tick_at,
        schedule=schedule_key(run.job, run.schedule) if run.cause == Cause.SCHEDULE else None,
        stopped_after=run.stopped_after,
        attempt=run.attempt,
        attempts=max(run.attempt, attempts_allowed(run.definition)),
        summary=run.summary,
        progress=steps(run.progress),
        image=run.image,
        digest=_digest(run.digest),
        image_page=image_page(run.digest),
        built_by=run.build_number,
        pull=run.pull_request,
        single=run.job == EXEC,
        approvers=tuple(approvals.approvers(run)),
        beside=beside,
    )


def build_view(build: Build, beside: Beside = ALONE) -> View:
    """What there is to say of a build."""
    return _view(
        build,
        noun="build",
        name=build.image,
        waiting_for=None,
        wait=None,
        definition=build.definition.get("build") or {},
        build_number=None,
        parameters=(),
        arguments=(),
        rerun_of=None,
        override=None,
        differs=None,
        tick_at=None,
        schedule=None,
        stopped_after=None,
        attempt=1,
        attempts=1,
        summary=None,
        progress=None,
        image=None,
        digest=None,
        image_page=None,
        built_by=None,
        pull=None,
        single=False,
        approvers=(),
        beside=beside,
    )


def _view(row: Run | Build, **known: object) -> View:
    state = shown_state(row.state, row.stop_by)
    result = vocabulary.result_of(row.result) if state is State.FINISHED else None
    begun = row.started_at if row.started_at is not None else row.finished_at
    return View(
        number=row.number or 0,
        state=state,
        result=result,
        reason=row.reason,
        message=message(row),
        exit_code=row.exit_code,
        cause=row.cause,
        actor=row.actor,
        repository=row.repository,
        ref=row.ref,
        commit=row.commit,
        queued_s=max(begun - row.created_at, 0.0) if begun is not None else None,
        ran_s=_between(row.started_at, row.finished_at),
        started_at=row.started_at,
        finished_at=row.finished_at,
        tail=tuple(str(line) for line in row.tail[-TAIL_LINES:]),
        **known,  # type: ignore[arg-type]
    )


def _chosen(run: Run) -> tuple[tuple[str, str], ...]:
    """The parameters whose values are others than the job's defaults."""
    declared = run.definition.get("parameters")
    declared = declared if isinstance(declared, dict) else {}
    defaults = {name: each.get("default") for name, each in declared.items() if isinstance(each, dict)}
    values = ((str(name), str(value)) for name, value in run.parameters.items())
    return tuple((name, value) for name, value in values if value != defaults.get(name))


def _digest(digest: str | None) -> str | None:
    found = _SHA256.search(digest or "")
    return None if found is None else found[1]


def image_page(reference: str | None) -> str | None:
    """Where its registry shows an image to people, if that is one that has pages."""
    host, _, name = (reference or "").partition("@")[0].partition("/")
    name = name.partition(":")[0]
    return f"{_PAGES[host]}{name}" if host in _PAGES and _NAME.fullmatch(name) else None


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(end - start, 0.0)
