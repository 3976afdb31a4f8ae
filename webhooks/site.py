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
from webhooks.api import calling, hooks, jobs, openapi, orders, questions, repositories, runs, tokens
from webhooks.api.workflows import Workflows
from webhooks.pages import routes as pages
from webhooks.pages.renderer import Renderer
from webhooks.streams import Streams


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
    changing: tuple[Registry, Pruning] | None = None  # what changes jobs, where that is served
    local: str | None = field(default=None, repr=False)  # the hash of the token of the local command line
    calls: CallHandler | None = None  # what starts and stops runs, where that is served
    questions: QueryHandler | None = None  # what plans and pauses, where that is served
    oidc: Oidc | None = None  # verifies the tokens of workflows, where those may start jobs
    repositories: Repositories | None = None  # whose workflows those are

    def __post_init__(self) -> None:
        """Refuse to start without a key: nobody could log in, and nothing would say why."""
        if not self.keys:
            raise ValueError("no key that could sign a session")

    def missing(self) -> Callable[[], Response]:
        """What a browser is shown where there is no page, which tells nobody more than that."""
        look = Renderer(clock=self.clock, command=self.command)
        words = "There is no page at this address."
        return lambda: look.page("message.html", 404, title="Not here", words=words, visitor=None)

    def routes(self) -> list[Route]:
        """What to mount."""
        access = self._access()
        look = Renderer(clock=self.clock, command=self.command)
        shown = pages.Pages(
            store=self.store,
            logs=self.logs,
            changes=self.store.changes,
            streams=self.streams,
            access=access,
            look=look,
            clock=self.clock,
            jobs=self.jobs,
            registry=self.changing[0] if self.changing else None,
        )
        told = runs.Api(
            store=self.store,
            logs=self.logs,
            streams=self.streams,
            access=access,
            clock=self.clock,
            url=self.url,
        )
        listed = [*pages.routes(shown), *runs.routes(told), openapi.route(access)]
        listed += tokens.routes(tokens.Tokens(self.store, access, self.clock, self.url))
        if self.repositories is not None:
            listed += repositories.routes(self.repositories, access)
        if self.questions is not None:
            listed += questions.routes(self.questions, access)
        if self.questions is not None and self.calls is not None:
            handlers = self.questions, self.calls
            listed += orders.routes(orders.Orders(*handlers, self.store, access, self.clock, self.url))
        if self.calls is not None:
            listed += calling.routes(calling.Calling(self.calls, self.store, access, self.clock, self.url))
        if self.changing is not None:
            registry, pruning = self.changing
            if self.calls is not None:
                listed += hooks.routes(
                    hooks.Hooks(self.calls, registry, self.store, access, self.streams, self.clock, self.url)
                )
            listed += jobs.routes(
                jobs.Jobs(
                    registry=registry,
                    pruning=pruning,
                    store=self.store,
                    access=access,
                    url=self.url,
                    clock=self.clock,
                )
            )
        return listed

    def _access(self) -> Access:
        """Who may, by today's jobs where they are known."""
        registry = self.changing[0] if self.changing is not None else None
        workflow = None
        if self.oidc is not None and registry is not None and self.repositories is not None:
            workflow = Workflows(self.oidc, lambda: registry.catalog.jobs, self.repositories).visitor
        return Access(
            self.store,
            self.keys,
            url=self.url,
            clock=self.clock,
            workflow=workflow,
            catalog=Catalog if registry is None else lambda: registry.catalog,
            local=self.local,
        )
