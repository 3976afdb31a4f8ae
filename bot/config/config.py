"""The configuration of one installation, as the rest of Errand uses it."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PrivateAttr

from bot.access.principals import Principal, member
from bot.catalog.catalog import Job
from bot.catalog.conditions import ConfigMapReference, Resources, SecretReference
from bot.catalog.due import plans_of, upcoming
from bot.catalog.freezes import MOST, Calendar, Freeze
from bot.catalog.images import Image, image_name
from bot.catalog.who import Allowed, PeopleSets
from bot.config.document import Value
from bot.config.interpolation import expand, refers
from bot.config.repository_rules import RepositoryRules, rules_of
from bot.config.settings import (
    Api,
    Audit,
    Deliveries,
    Engine,
    GitHub,
    Kubernetes,
    Limits,
    Logs,
    OperatorLog,
    Pages,
    Section,
    Slack,
)
from bot.config.values import DatabaseUrl, FirstWord, Network, PublicUrl, Repositories
from bot.errors import ConfigError
from bot.messages.timetables import timetable
from bot.text.units import duration_text
from executor.spec import Reference, Secret

SHOWN = 5
"""How many coming times of a schedule are told."""

NO_CONFIGMAPS = "only Kubernetes has ConfigMaps; on this engine write the value itself, or ${NAME}"

SHORTEST = 4
"""Characters of the shortest value that is masked unasked: hiding every `4` would make a log unreadable."""


class Config(Section):
    """All of `app.yaml`, checked, with `defaults` merged into the jobs."""

    url: PublicUrl = "http://127.0.0.1:8000"
    command: FirstWord = "/job"
    proxies: tuple[Network, ...] = ("127.0.0.1", "::1")
    database: DatabaseUrl = Secret("sqlite:///errand.db")
    logs: Logs = Field(default_factory=Logs)
    log: OperatorLog = Field(default_factory=OperatorLog)
    deliveries: Deliveries = Field(default_factory=Deliveries)
    audit: Audit = Field(default_factory=Audit)
    limits: Limits = Field(default_factory=Limits)
    github: GitHub | None = None
    slack: Slack | None = None
    api: Api = Field(default_factory=Api)
    pages: Pages = Field(default_factory=Pages)
    people: PeopleSets = Field(default_factory=dict)
    freeze: Annotated[tuple[Freeze, ...], Field(max_length=MOST)] = ()
    override: Allowed = ()
    engine: Engine = Field(default_factory=Engine)
    images: dict[str, Image] = Field(default_factory=dict)
    sizes: dict[Annotated[str, AfterValidator(image_name)], Resources] = Field(default_factory=dict)
    jobs: dict[str, Job] = Field(default_factory=dict)
    repository_jobs: dict[Repositories, RepositoryRules] = Field(default_factory=dict)

    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _written: Mapping[str, Value] = PrivateAttr(default_factory=dict)
    _newest: Mapping[str, Value] = PrivateAttr(default_factory=dict)
    _file: str = PrivateAttr(default="")
    _lines: Mapping[str, int] = PrivateAttr(default_factory=dict)
    _calendar: Calendar | None = PrivateAttr(default=None)
    _users: Mapping[str, frozenset[str]] | None = PrivateAttr(default=None)

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that the file was read with."""
        return self._environ

    @property
    def written(self) -> Mapping[str, Value]:
        """The file as it was written, references and defaults apart; it may hold secrets."""
        return self._written

    @property
    def newest(self) -> Mapping[str, Value]:
        """The same as it was read last, with what only a new start takes up; empty if read once."""
        return self._newest

    def line_of(self, job: str) -> int | None:
        """The line of the file in which a job begins, from 1; None for one that the file does not define."""
        return self._lines.get(job)

    def place_of(self, job: str) -> str | None:
        """Where the file defines a job, such as `app.yaml:12`; None where it does not."""
        line = self.line_of(job)
        return None if line is None else f"{self._file}:{line}"

    def take_definitions(self, new: "Config") -> None:
        """Take over what `new` was written with for jobs that are defined later."""
        mine = ("jobs", "defaults", "images", "sizes", "people", "freeze", "override", "api")
        self._calendar = None
        self._newest, self._file, self._lines = new.written, new._file, new._lines
        kept = {key: value for key, value in self._written.items() if key not in mine}
        self._written = {**kept, **{key: new.written[key] for key in mine if key in new.written}}

    @property
    def calendar(self) -> Calendar:
        """When nothing starts, as the file says."""
        if self._calendar is None:
            self._calendar = Calendar(self.freeze, overridable=bool(self.override))
        return self._calendar

    @property
    def forks(self) -> bool:
        """Whether code of forks may be built and run."""
        return self.github is not None and self.github.forks

    def allows(self, repository: str) -> bool:
        """Whether `repository` may talk to this installation."""
        return self.github is not None and self.github.allows(repository)

    def repository_rules(self, repository: str) -> RepositoryRules | None:
        """What `repository` may define for itself; None where that is nothing."""
        return rules_of(self.repository_jobs, repository) if self.allows(repository) else None

    def person(self, slack_user: str) -> str | None:
        """The GitHub login of a Slack user; None for somebody whom `slack.people` does not name."""
        return self.slack.people.get(slack_user) if self.slack else None

    @property
    def named(self) -> list[Principal]:
        """Whom rules and approvals of jobs and sets of people name, each once."""
        rules = [text for job in self.jobs.values() for text in (*job.allow, *job.deny)]
        rules += [text for job in self.jobs.values() if job.approval for text in job.approval.approvers]
        sets = [text for texts in self.people.values() for text in texts]
        return [member(text) for text in dict.fromkeys((*rules, *sets))]

    def members(self, login: str) -> frozenset[str]:
        """All Slack users whom `slack.people` calls by a GitHub login."""
        if self._users is None:
            users: dict[str, set[str]] = {}
            for user, name in self.slack.people.items() if self.slack else ():
                users.setdefault(name.lower(), set()).add(user)
            self._users = {name: frozenset(found) for name, found in users.items()}
        return self._users.get(login.lower(), frozenset())

    def member(self, login: str) -> str | None:
        """The Slack user whom `slack.people` calls by a GitHub login; the first where it names several."""
        people = self.slack.people.items() if self.slack else ()
        return next((user for user, name in people if name.lower() == login.lower()), None)

    def plain_environment(self, job: Job) -> dict[str, str]:
        """The variables of `job.env` that take nothing from the environment nor from a secret."""
        texts = {name: text for name, text in job.env.items() if isinstance(text, str)}
        return {name: expand(text, {}).text for name, text in texts.items() if not refers(text)}

    def environment(self, job: Job) -> tuple[dict[str, str], tuple[Secret, ...]]:
        """The variables of `job.env` with their references resolved now, and what must be masked.

        Masked are the values that came from the environment, alone and with the text around them,
        and those that `job.mask` names; very short ones only if it names them. `job` may be one that
        was stored with a run. Raises ConfigError where a variable is not set any more.
        What `references` has is not among them.
        """
        elsewhere = self.references(job)
        variables: dict[str, str] = {}
        secrets: dict[str, None] = {}
        for name, text in job.env.items():
            if name in elsewhere:
                continue
            if not isinstance(text, str):
                variables[name] = self._secret(text, f"jobs.{job.name}.env.{name}")
                secrets[variables[name]] = None
                continue
            try:
                expanded = expand(text, self._environ)
            except ValueError as error:
                raise ConfigError(f"jobs.{job.name}.env.{name}: {error}") from None
            variables[name] = expanded.text
            secrets |= dict.fromkeys(expanded.taken.values())
            if expanded.taken:
                secrets[expanded.text] = None
        long = [value for value in secrets if len(value) >= SHORTEST]
        named = [variables[name] for name in job.mask if variables.get(name)]
        return variables, tuple(Secret(value) for value in dict.fromkeys([*long, *named]))

    def references(self, job: Job) -> dict[str, Reference]:
        """The variables of `job.env` whose values only the cluster has; none on the other engines."""
        if self.engine.kind != "kubernetes":
            return {}
        return {name: value.reference for name, value in job.env.items() if not isinstance(value, str)}

    def build_secrets(self, image: Image) -> dict[str, Secret]:
        """What a build of `image` is given by name, as the environment has it now.

        Raises ConfigError where a variable is not set any more.
        """
        names = image.build.secrets if image.build else ()
        for name in names:
            if name not in self._environ:
                raise ConfigError(f"images.{image.name}.build.secrets: {missing_variable(name)}")
        return {name: Secret(self._environ[name]) for name in names}

    def _secret(self, reference: SecretReference | ConfigMapReference, place: str) -> str:
        """The value of a secret, which on the engines of one machine is in Errand's environment."""
        if isinstance(reference, ConfigMapReference):
            raise ConfigError(f"{place}: {NO_CONFIGMAPS}")
        value = self._environ.get(reference.variable)
        if value is None:
            raise ConfigError(f"{place}: {missing_secret(reference)}")
        return value

    def summary(self) -> list[tuple[str, str]]:
        """What is configured, as pairs of a name and a text without secrets, for `errand check`."""
        github, slack = self.github, self.slack
        identity = "not configured"
        if github is not None:
            who = f"App {github.app_id}" if github.app_id else "a token"
            identity = f"{who}, {github.api_url}, repositories: {', '.join(github.repositories) or 'none'}"
            identity += f", asks every {duration_text(github.poll)}" if github.poll else ""
        closed = "" if github is None or github.webhook_secret else " (no webhook_secret: door closed)"
        pairs = [
            ("url", self.url),
            ("command", self.command),
            ("database", _database_text(self.database)),
            ("logs", f"{self.logs.directory}, kept {duration_text(self.logs.keep)}"),
            ("engine", _engine_text(self.engine)),
            ("github", identity + closed),
            ("slack", _slack_text(slack)),
        ]
        pairs += [(f"repository {name}", rules.summary) for name, rules in self.repository_jobs.items()]
        pairs += [(f"image {name}", _image_text(image)) for name, image in self.images.items()]
        pairs += [(f"job {name}", job.description or "no description") for name, job in self.jobs.items()]
        return pairs

    def timetables(self, now: float) -> list[tuple[str, str]]:
        """The schedules with the next times at which each starts its job, as pairs of `summary`."""
        plans = plans_of(*self.jobs.values())
        shown = [(plan.key, plan.timetable, upcoming(plan, {}, now, SHOWN)) for plan in plans]
        return [(f"schedule {name}", timetable(of.cron, of.timezone, times)) for name, of, times in shown]


def missing_secret(reference: SecretReference) -> str:
    """What is told of a secret that this installation does not have."""
    what = missing_variable(reference.variable)
    return f"{what} (key {reference.key} of the secret {reference.secret})"


def missing_variable(name: str) -> str:
    """What is told of a variable that Errand's own environment does not have."""
    return f"the environment variable {name} is not set"


def _engine_text(engine: Engine) -> str:
    if engine.kind == "process":
        return f"process, {engine.process.directory}"
    if engine.kind == "kubernetes":
        return _cluster_text(engine.kubernetes)
    container = engine.container
    where = f" at {container.socket}" if container.socket else ""
    return f"container, {container.command}{where}, {container.directory}"


def _cluster_text(cluster: Kubernetes) -> str:
    where = (
        f"context {cluster.context}" if cluster.context else "the cluster it runs in, or that of KUBECONFIG"
    )
    if cluster.kubeconfig:
        where = f"{cluster.context or 'the current context'} of {cluster.kubeconfig}"
    account = f", service account {cluster.service_account}" if cluster.service_account else ""
    builder = f", builds with {cluster.builder.kind} ({cluster.builder.used_image})"
    return f"kubernetes, {where}, namespace {cluster.namespace}{account}{builder}"


def _image_text(image: Image) -> str:
    pushed = f", pushed to {image.push}" if image.push else ""
    return image.origin + pushed


def _slack_text(slack: Slack | None) -> str:
    if slack is None:
        return "not configured"
    known = f"{len(slack.people)} people"
    if slack.email_domains:
        known += f" and members with addresses of {', '.join(slack.email_domains)}"
    if slack.app_token is not None:
        return f"{known}, over Socket Mode"
    return known + ("" if slack.signing_secret else " (no signing_secret: door closed)")


def _database_text(url: Secret) -> str:
    """The address of the database without user and password."""
    parts = urlsplit(url.reveal())
    if parts.scheme == "sqlite":
        return url.reveal()
    return f"{parts.scheme}://{parts.hostname or 'localhost'}{parts.path}"
