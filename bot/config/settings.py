"""The sections of `app.yaml`, named and spelt as in the file.

Values are frozen; sizes are bytes and durations seconds; what must not be shown is a `Secret`.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from bot.catalog.conditions import Duration, between
from bot.catalog.images import Label, Reference, Repository
from bot.catalog.patterns import with_keys
from bot.config.pods import PodPatch
from bot.config.servers import issuer_of, web_address
from bot.config.values import (
    AppId,
    AppToken,
    Authority,
    BotToken,
    ClientId,
    CloneUrl,
    Context,
    Directory,
    Domain,
    GitHubUrl,
    Kubeconfig,
    Login,
    ObjectName,
    People,
    PrivateKey,
    RegistryHost,
    Repositories,
    Secrets,
    SecretText,
    SigningSecrets,
    Size,
    SlackUrl,
    SlackUser,
    Socket,
    WholeNumber,
    Words,
    bytes_between,
    count,
)
from bot.text.globs import matches

_DAY = 86400.0
_MEBIBYTE = 2**20


_OPEN: JsonDict = {"required": ["http"], "properties": {"http": {"not": {"enum": [False, None]}}}}


class Section(BaseModel):
    """What all sections share: they are frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Logs(Section):
    """Where logs are kept, how long, and how large one may grow. `public`: signed links everywhere."""

    directory: Directory = Path("var/logs")
    keep: Annotated[Duration, between(3600, 3650 * _DAY)] = 30 * _DAY
    max_size: Annotated[Size, bytes_between(4096, 2**40, "from 4Ki to 1024Gi")] = 64 * _MEBIBYTE
    public: bool = False


class Deliveries(Section):
    """How long requests of GitHub and Slack are kept once they were decided, and those that were ignored."""

    keep: Annotated[Duration, between(3 * _DAY, 365 * _DAY)] = 7 * _DAY
    keep_ignored: Annotated[Duration, between(60, 365 * _DAY)] = _DAY


class Audit(Section):
    """How long the journal keeps what was decided, and who may read it besides admins."""

    keep: Annotated[Duration, between(30 * _DAY, 3650 * _DAY)] = 400 * _DAY
    readers: Annotated[tuple[People, ...], Field(max_length=100)] = ()


class OperatorLog(Section):
    """What Errand writes to its own log: a line for every delivery, or for those that went wrong."""

    deliveries: Literal["all", "problems"] = "all"


class Limits(Section):
    """How much may happen at the same time, and how large a request may be."""

    runs: Annotated[WholeNumber, count(1, 10000)] = 20
    builds: Annotated[WholeNumber, count(1, 1000)] = 2
    connections: Annotated[WholeNumber, count(64, 100_000)] = 2048
    body: Annotated[Size, bytes_between(1024, 25 * _MEBIBYTE, "from 1Ki to 25Mi")] = 25 * _MEBIBYTE


class GitHub(Section):
    """How Errand speaks with GitHub: as an App (`app_id`, `private_key`) or with one `token`.

    `pace`: seconds between two things written for one account, once a few were written at once.
    `poll`: seconds from one look at what GitHub recorded to the next.
    """

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [with_keys("app_id", "private_key"), with_keys("token")]}
    )

    app_id: AppId | None = None
    private_key: PrivateKey | None = None
    token: SecretText | None = None
    webhook_secret: Secrets = ()
    client_id: ClientId | None = None
    client_secret: SecretText | None = None
    api_url: GitHubUrl = "https://api.github.com"
    clone_url: CloneUrl | None = None
    repositories: tuple[Repositories, ...] = ()
    forks: bool = False
    actions_issuer: GitHubUrl | None = None
    pace: Annotated[Duration, between(0, 60)] = 1.0
    poll: Annotated[Duration, between(1, 3600)] | None = None

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        app = self.app_id is not None or self.private_key is not None
        if app and self.token is not None:
            raise ValueError("either app_id and private_key, or token; not both")
        if app and (self.app_id is None or self.private_key is None):
            raise ValueError("app_id and private_key are needed together")
        if not app and self.token is None:
            raise ValueError("app_id and private_key, or a token, are needed")
        if not app and self.poll is not None:
            raise ValueError("poll needs app_id and private_key: only an App is told what GitHub sent")
        if (self.client_id is None) != (self.client_secret is None):
            raise ValueError("client_id and client_secret are needed together")
        if self.client_id is not None and not app:
            raise ValueError("client_id needs app_id and private_key: people log in by the App")
        return self

    @property
    def fetch_url(self) -> str:
        """Where git fetches."""
        return self.clone_url or web_address(self.api_url) + "/{repository}.git"

    @property
    def issuer(self) -> str:
        """Who signs for workflows of GitHub Actions."""
        return self.actions_issuer or issuer_of(self.api_url)

    @property
    def owners(self) -> tuple[str, ...]:
        """The accounts that `repositories` names, each once, in lower case; patterns name none."""
        names = (pattern.partition("/")[0].lower() for pattern in self.repositories)
        return tuple(dict.fromkeys(name for name in names if "*" not in name))

    def allows(self, repository: str) -> bool:
        """Whether `repository` may talk to this installation; GitHub does not tell names by case."""
        name = repository.casefold()
        return any(matches(pattern.casefold(), name) for pattern in self.repositories)


class Pages(Section):
    """Who may look at all pages, and who may do there what a token with `admin` may.

    Without `access` people see, once they are logged in, the jobs that they may run.
    """

    access: Annotated[tuple[People, ...], Field(max_length=100)] = ()
    admins: Annotated[tuple[People, ...], Field(max_length=100)] = ()


class Api(Section):
    """What jobs that come over the API may name: images of these registries, by host."""

    registries: Annotated[tuple[RegistryHost, ...], Field(max_length=100)] = ()


class Slack(Section):
    """How Errand speaks with Slack. `people`: which GitHub login a Slack user is.

    `email_domains`: members with a verified address of these are known by it, too.

    With `app_token` Slack sends through a connection that Errand opens (Socket Mode), else to its door.
    """

    signing_secret: SigningSecrets = ()
    bot_token: BotToken
    app_token: AppToken | None = None
    api_url: SlackUrl = "https://slack.com/api/"
    people: dict[SlackUser, Login] = Field(default_factory=dict)
    email_domains: Annotated[tuple[Domain, ...], Field(max_length=100)] = ()


class Process(Section):
    """The process engine: where mirrors, worktrees and runs live."""

    directory: Directory = Path("var/work")


class Container(Section):
    """The container engine: `command` builds, what listens at `socket` runs.

    `arguments` are put before the subcommand of every call of the command. Without a socket that is where the
    command has its own; below `directory` are mirrors and checkouts for builds. `storage`: whether each
    repository builds apart from the others; `cache`: bytes that builds keep for the next ones.
    """

    command: Literal["podman", "docker"] = "podman"
    socket: Socket | None = None
    arguments: Words = ()
    directory: Directory = Path("var/work")
    storage: Literal["apart", "shared"] = "apart"
    cache: Annotated[Size, bytes_between(2**30, 2**50, "from 1Gi to 1024Ti")] = 20 * 2**30


_BUILDERS = {"buildkit": "moby/buildkit:rootless", "buildah": "quay.io/buildah/stable:latest"}


class Registry(Section):
    """How a registry is reached that is not as others are: over plain HTTP, or with a CA of its own."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_OPEN, with_keys("ca")]})

    http: bool = False
    ca: Authority | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.http == (self.ca is not None):
            raise ValueError("either http: true or ca is required")
        return self


class Builder(Section):
    """How images are built in the cluster. `pod` is merged last into the pods of builds.

    The layers of each image are kept below `cache`.
    """

    kind: Literal["buildkit", "buildah"] = "buildkit"
    image: Reference | None = None
    registry_secret: ObjectName | None = None
    cache: Repository | None = None
    pod: PodPatch = Field(default_factory=dict)

    @property
    def used_image(self) -> str:
        """The image that builds run in: the one that the file names, or what the builder's makers publish."""
        return self.image or _BUILDERS[self.kind]


class Kubernetes(Section):
    """The Kubernetes engine: which cluster, and how runs are placed there.

    Without `context` and `kubeconfig` that is the cluster that Errand itself runs in. `pod` is merged last
    into every pod; `pending_timeout` is in seconds.
    """

    context: Context | None = None
    kubeconfig: Kubeconfig | None = None
    namespace: Label = "jobs"
    service_account: ObjectName | None = None
    pod: PodPatch = Field(default_factory=dict)
    pending_timeout: Annotated[Duration, between(1, _DAY)] = 600.0
    builder: Builder = Field(default_factory=Builder)
    registries: Annotated[dict[RegistryHost, Registry], Field(max_length=100)] = Field(default_factory=dict)


class Engine(Section):
    """Where jobs run."""

    kind: Literal["process", "container", "kubernetes"] = "process"
    process: Process = Field(default_factory=Process)
    container: Container = Field(default_factory=Container)
    kubernetes: Kubernetes = Field(default_factory=Kubernetes)
