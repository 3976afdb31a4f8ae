"""Pages and API together, as the front door mounts them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.routing import Route

from bot.access import links
from bot.catalog.catalog import Catalog
from bot.github import Oidc
from bot.handlers.calls import CallHandler
from bot.handlers.questions import QueryHandler
from bot.registry import Registry
from bot.repositories import Repositories
from bot.store import Store
from bot.workers.pruning import Pruning
from executor.logs.store import LogStore
from webhooks.access import Access
from webhooks.api.guard import TokenGuard
from webhooks.api.hooks import HookCallHandlers, HookGuard, HookHandlers
from webhooks.api.job_commands import JobCommandHandlers
from webhooks.api.jobs import JobHandlers
from webhooks.api.logs import LogHandlers
from webhooks.api.operations import DocumentHandlers, routes
from webhooks.api.repositories import RepositoryHandlers
from webhooks.api.run_commands import RunCommandHandlers
from webhooks.api.runs import RunHandlers
from webhooks.api.targets import TargetHandlers
from webhooks.api.tokens import TokenHandlers
from webhooks.api.workflows import Workflows
from webhooks.pages import routes as pages
from webhooks.pages.renderer import PageRenderer
from webhooks.streams import Streams


@dataclass(frozen=True, slots=True)
class Controls:
    """What changes something: `calls` start and stop runs, `questions` plan and pause.

    `oidc` verifies the tokens of workflows of these `repositories`, which may start jobs of the `registry`.
    """

    registry: Registry
    pruning: Pruning
    calls: CallHandler
    questions: QueryHandler
    oidc: Oidc
    repositories: Repositories


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that pages and API need, and nothing else.

    `keys` come from `links.derive` and may not be empty. `url` is the installation's public address,
    `jobs` the descriptions of the configured jobs by name, `command` the first word of a command. Call
    `streams.close()` when the server begins to shut down.
    """

    store: Store
    logs: LogStore
    keys: links.Keys = field(repr=False)
    url: str
    clock: Callable[[], float]
    jobs: Mapping[str, str] = field(default_factory=dict)
    command: str = "/job"
    streams: Streams = field(default_factory=Streams)
    local: str | None = field(default=None, repr=False)  # the hash of the token of the local command line
    controls: Controls | None = None  # without them it only shows what is stored

    def __post_init__(self) -> None:
        """Refuses to start without a key: nobody could log in, and nothing would say why."""
        if not self.keys:
            raise ValueError("no key that could sign a session")

    def missing(self) -> Callable[[], Response]:
        """What a browser is shown where there is no page, which tells nobody more than that."""
        renderer = PageRenderer(clock=self.clock, command=self.command)
        words = "There is no page at this address."
        return lambda: renderer.page("message.html", 404, title="Not here", words=words, visitor=None)

    def routes(self) -> list[Route]:
        """What to mount."""
        access = self._access()
        renderer = PageRenderer(clock=self.clock, command=self.command)
        parts = pages.Pages(
            store=self.store,
            logs=self.logs,
            changes=self.store.changes,
            streams=self.streams,
            access=access,
            renderer=renderer,
            clock=self.clock,
            jobs=self.jobs,
            registry=self.controls.registry if self.controls else None,
        )
        return [*pages.routes(parts), *self._api(access)]

    def _api(self, access: Access) -> list[Route]:
        store, clock = self.store, self.clock
        handlers: list[object] = [
            DocumentHandlers(),
            RunHandlers(store, clock),
            LogHandlers(store, self.logs, self.streams, access),
            TokenHandlers(store, clock),
        ]
        hook_calls: list[object] = []
        if (controls := self.controls) is not None:
            handlers += [
                RepositoryHandlers(controls.repositories),
                JobCommandHandlers(controls.questions),
                TargetHandlers(controls.questions, clock),
                JobHandlers(controls.registry, controls.pruning, store, clock),
                HookHandlers(controls.registry, store, clock),
                RunCommandHandlers(controls.calls, store, clock),
            ]
            hook_calls.append(HookCallHandlers(controls.calls, store, self.streams, clock))
        return [
            *routes(handlers, TokenGuard(access), self.url),
            *routes(hook_calls, HookGuard(store), self.url),
        ]

    def _access(self) -> Access:
        """Who may, by today's jobs where they are known."""
        controls, workflow = self.controls, None
        if controls is not None:
            workflow = Workflows(
                controls.oidc, lambda: controls.registry.catalog.jobs, controls.repositories
            ).visitor
        return Access(
            self.store,
            self.keys,
            url=self.url,
            clock=self.clock,
            workflow=workflow,
            catalog=Catalog if controls is None else lambda: controls.registry.catalog,
            local=self.local,
        )
