"""The grammar of commands as one table; the parser, the help and the documentation follow it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """An option of a verb. `value` names what follows it; None for one that stands alone.

    `instead`: it stands where the verb's subject would, so that nothing is taken for that by mistake.
    """

    name: str
    value: str | None
    summary: str
    instead: bool = False

    @property
    def usage(self) -> str:
        """The flag with its value's name."""
        return f"--{self.name} {self.value}" if self.value else f"--{self.name}"


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of the grammar: what may follow the verb, and one line of help.

    `subject` is what the verb is about, as the help shows it; `assignments` and `arguments` say
    whether `KEY=VALUE` and `-- ARGS` may follow.
    """

    name: str
    subject: str
    summary: str
    group: str
    flags: tuple[Flag, ...] = ()
    assignments: bool = False
    arguments: bool = False

    @property
    def usage(self) -> str:
        """The verb with all that may follow it."""
        parts = [self.name, self.subject]
        if self.assignments:
            parts.append("[KEY=VALUE ...]")
        parts += [f"[{flag.usage}]" for flag in self.flags]
        if self.arguments:
            parts.append("[-- ARGS ...]")
        return " ".join(filter(None, parts))


_REF = Flag("ref", "REF", "branch, tag or commit to take instead of the one asked from")
_IMAGE = Flag("image", "TAG", "tag of the image's own repository in a registry to run instead")
_OVERRIDE = Flag(
    "override", "WHY", "start it in spite of a freeze, and say why; for those whom `override` names"
)
_LATEST = Flag("latest", None, "today's definition and image instead of those of that run")
_PAGE = Flag("page", "P", "a page of all runs here, or of those of a job; 1 has the newest")

_OF = (
    Flag("job", "NAME", "only this job; `*` stands for letters of a name"),
    Flag("lock", "NAME", "only jobs with this `lock`"),
    Flag("environment", "NAME", "only deployments to this environment"),
)
_AGAIN = Flag("again", None, "those as well that ran already")
_GLOBAL = Flag("global", None, "all jobs there are, without a target; for admins", instead=True)
_EVERYONE = Flag("everyone", None, "your own runs wait, too")
_ALL = Flag("all", None, "all schedules there are, without a name; for admins", instead=True)

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "run",
            "NAME [at T | in D]",
            "start a job, at once or later",
            "Runs",
            (_REF, _IMAGE, _OVERRIDE),
            assignments=True,
            arguments=True,
        ),
        Verb(
            "rerun",
            "[#N | NAME]",
            "run again, exactly as before or changed where said",
            "Runs",
            (_LATEST, _OVERRIDE),
            assignments=True,
        ),
        Verb("cancel", "[#N | NAME]", "stop a run", "Runs"),
        Verb("logs", "#N", "the last lines of a run's log, and the link to all of it", "Runs"),
        Verb("status", "[#N | NAME]", "how a run, a job's last run or everything stands", "Runs", (_PAGE,)),
        Verb("list", "[PAGE]", "the jobs there are", "Jobs"),
        Verb(
            "plan",
            "NAME",
            "what `run` would do, without doing it",
            "Jobs",
            (_REF, _IMAGE, _OVERRIDE),
            assignments=True,
            arguments=True,
        ),
        Verb("why", "NAME", "why a job did or did not run", "Jobs"),
        Verb("build", "IMAGE", "build an image", "Jobs", (_REF,)),
        Verb(
            "pause",
            'NAME[/SCHEDULE] ["reason"] [until T | for D]',
            "keep a job's schedules from starting it",
            "Schedules",
            (_ALL,),
        ),
        Verb("resume", "NAME[/SCHEDULE]", "let paused schedules go on", "Schedules", (_ALL,)),
        Verb("skip", "NAME[/SCHEDULE]", "leave out the next time of a schedule", "Schedules"),
        Verb(
            "backfill",
            "NAME[/SCHEDULE] from T [until T]",
            "run a job for due moments that have passed, one by one",
            "Schedules",
            (_AGAIN,),
        ),
        Verb(
            "lock",
            'TARGET ["reason"] [for D | until merged]',
            "keep runs from starting on a target",
            "Locks",
            (_GLOBAL, _EVERYONE),
        ),
        Verb("unlock", "TARGET", "let them start again", "Locks", (_GLOBAL,)),
        Verb(
            "freeze",
            '["why"] [for D | until T]',
            "keep everything from starting, or what is named",
            "Freezes",
            _OF,
        ),
        Verb("thaw", "", "end a freeze", "Freezes", _OF),
        Verb("approve", "#N | SHA", "say yes to a run that waits for it, or to a fork's commit", "Approvals"),
        Verb("deny", '#N ["why"]', "say no to it", "Approvals"),
        Verb("login", "", "sign in to the pages: in Slack, by a link that only you see", "Help"),
        Verb("help", "[VERB | NAME [PAGE]]", "this overview, or more about one verb or job", "Help"),
    )
}


def help_text(first_word: str, verb: str | None = None) -> str:
    """Markdown help: for one verb, or for all, by group."""
    if verb is not None and verb in VERBS:
        return _verb_help(first_word, VERBS[verb])
    lines = []
    for group in dict.fromkeys(each.group for each in VERBS.values()):
        rows = [each for each in VERBS.values() if each.group == group]
        lines += ["", f"**{group}**", ""]  # blank lines, or a heading falls into the bullet above it
        lines += [f"- `{first_word} {each.usage}`: {each.summary}" for each in rows]
    return "\n".join([*lines[1:], "", "A command stands at the start of a line; several run in order."])


def _verb_help(first_word: str, verb: Verb) -> str:
    lines = [f"`{first_word} {verb.usage}`: {verb.summary}.", ""]
    if verb.assignments:
        lines.append("- `KEY=VALUE` sets a parameter; quote a value that has spaces: `NAME='two words'`")
    lines += [f"- `{flag.usage}`: {flag.summary}" for flag in verb.flags]
    if verb.arguments:
        lines.append(
            "- `-- ARGS ...`: everything after `--` goes to the job's command as it is, if it takes any"
        )
    return "\n".join(lines).strip()
