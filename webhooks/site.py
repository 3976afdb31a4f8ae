"""Pages and API together, as the front door mounts them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.routing import Route

from bot.access import links
from bot.github import Logins, Oidc
from bot.handlers.calls import CallHandler
from bot.handlers.questions import QueryHandler
from bot.handlers.refusals import RefusalJournal
from bot.handlers.who_table import WhoTable
from bot.page_composition import PageComposition
from bot.registry import Registry
from bot.repositories import Repositories
from bot.store import Store
from bot.workers.pruning import Pruning
from executor.logs.store import LogStore
from webhooks.access import Access
from webhooks.api.audit import AuditHandlers
from webhooks.api.chat_commands import ChatCommandHandlers
from webhooks.api.deliveries import DeliveryHandlers
from webhooks.api.freezes import FreezeHandlers
from webhooks.api.grants import GrantHandlers
from webhooks.api.guard import TokenGuard
from webhooks.api.hook_changes import HookChanges
from webhooks.api.hooks import HookCallHandlers, HookGuard
from webhooks.api.job_changes import JobChanges
from webhooks.api.jobs import JobHandlers
from webhooks.api.logins import DeviceHandlers, LoginHandlers, OpenGuard
from webhooks.api.logs import LogHandlers
from webhooks.api.operations import DocumentHandlers, routes
from webhooks.api.run_commands import RunCommandHandlers
from webhooks.api.runs import RunHandlers
from webhooks.api.sessions import SessionHandlers
from webhooks.api.who import WhoHandlers
from webhooks.api.workflows import Workflows
from webhooks.pages import routes as pages
from webhooks.pages.renderer import PageRenderer
from webhooks.streams import Streams


@dataclass(frozen=True, slots=True)
class Controls:
    """What changes something: `calls` start and stop runs, `questions` plan and pause.

    `who` says what somebody may, `oidc` verifies the tokens of workflows of these `repositories`, which may
    start jobs of the `registry`.
    """

    registry: Registry
    pruning: Pruning
    calls: CallHandler
    questions: QueryHandler
    oidc: Oidc
    repositories: Repositories
    pages: PageComposition
    who: WhoTable
    logins: Logins | None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that pages and API need, and nothing else.

    `keys` come from `links.derive` and may not be empty. `url` is the installation's public address,
    `local` the hash of the token of the local command line. Call `streams.close()` when the server begins to
    shut down.
    """

    store: Store
    logs: LogStore
    keys: links.Keys = field(repr=False)
    url: str
    clock: Callable[[], float]
    streams: Streams
    local: str = field(repr=False)
    controls: Controls

    def __post_init__(self) -> None:
        """Refuses to start without a key: nobody could log in, and nothing would say why."""
        if not self.keys:
            raise ValueError("no key that could sign a session")

    def missing(self) -> Callable[[], Response]:
        """What a browser is shown where there is no page, which tells nobody more than that."""
        renderer = self._renderer()
        words = "There is no page at this address."
        return lambda: renderer.page("message.html", 404, title="Not here", words=words, visitor=None)

    def routes(self) -> list[Route]:
        """What to mount."""
        access, logins = self._access(), self.controls.logins
        refusals = RefusalJournal(self.store, self.clock)
        parts = pages.Pages(
            store=self.store,
            logs=self.logs,
            changes=self.store.changes,
            streams=self.streams,
            access=access,
            renderer=self._renderer(),
            clock=self.clock,
            registry=self.controls.registry,
            actions=self.controls.pages.actions,
            relations=self.controls.pages.relations,
            removals=self.controls.pages.removals,
            job_changes=JobChanges(self.controls.registry, self.controls.pruning),
            hook_changes=HookChanges(self.controls.registry, self.store, self.clock),
            is_admin=self.controls.pages.rights.is_admin,
            refusals=refusals,
            url=self.url.rstrip("/"),
            github=None if logins is None else pages.GitHubEntrance(logins, self.url, self.keys),
        )
        return [*pages.routes(parts), *self._api(access, refusals)]

    def _api(self, access: Access, refusals: RefusalJournal) -> list[Route]:
        store, clock, controls = self.store, self.clock, self.controls
        handlers = [
            DocumentHandlers(),
            RunHandlers(store, clock),
            LogHandlers(store, self.logs, self.streams, access),
            DeliveryHandlers(store, clock),
            SessionHandlers(store, clock),
            WhoHandlers(controls.registry, controls.who),
            AuditHandlers(store, self.streams, access, clock),
            LoginHandlers(access),
            FreezeHandlers(controls.questions, lambda: controls.registry.config.calendar, store, clock),
            GrantHandlers(HookChanges(controls.registry, store, clock), controls.repositories, store, clock),
            ChatCommandHandlers(controls.questions, clock),
            JobHandlers(controls.registry, controls.pruning, store, clock),
            RunCommandHandlers(controls.calls, store, clock),
        ]
        hook_calls = [HookCallHandlers(controls.calls, store, self.streams, clock)]
        return [
            *routes(handlers, TokenGuard(access, controls.pages.rights.is_admin, refusals), self.url),
            *routes(hook_calls, HookGuard(store, refusals), self.url),
            *routes([DeviceHandlers(controls.logins, access, clock)], OpenGuard(), self.url),
        ]

    def _access(self) -> Access:
        """Who may, by today's jobs."""
        controls = self.controls
        workflows = Workflows(
            controls.oidc,
            lambda workflow: controls.registry.rules.started_by(workflow),
            controls.repositories,
        )
        return Access(
            self.store,
            self.keys,
            url=self.url,
            clock=self.clock,
            workflow=workflows.visitor,
            people=controls.pages.rights.of,
            catalog=lambda: controls.registry.catalog,
            local=self.local,
        )

    def _renderer(self) -> PageRenderer:
        return PageRenderer(clock=self.clock, command=self.controls.registry.config.command)
