"""Pages and API as the service has them, on parts that a test gives."""

import time
from collections.abc import Callable, Mapping

from bot.access import links
from bot.catalog.catalog import Job
from bot.composition import Composition
from bot.config import Config
from bot.github import Keys, Logins, Oidc
from bot.parts import Parts
from bot.registry import Registry
from bot.repositories import Repositories
from bot.store import Store
from executor.logs.store import LogStore
from tests.bot.engine import ObedientEngine
from webhooks.site import Controls, Site
from webhooks.streams import Streams

NOBODY = ""
"""The hash of no token."""


def composed(
    made: Composition, *, url: str, streams: Streams | None = None, logins: Logins | None = None
) -> Site:
    """Of a bot that is put together already; `logins`: people log in with GitHub."""
    parts = made.parts
    oidc = Oidc(Keys("https://issuer.example.com", clock=parts.clock), audience=url, clock=parts.clock)
    return Site(
        store=parts.store,
        logs=parts.logs,
        keys=parts.keys,
        url=url,
        clock=parts.clock,
        streams=streams or Streams(),
        local=NOBODY,
        controls=Controls(
            parts.registry,
            made.pruning,
            made.calls,
            made.queries,
            oidc,
            parts.repositories,
            made.pages,
            made.who,
            logins,
        ),
    )


def site(
    store: Store,
    logs: LogStore,
    keys: links.Keys,
    url: str,
    clock: Callable[[], float],
    jobs: Mapping[str, str | Job] | None = None,
) -> Site:
    """Of a bot without GitHub and Slack; `jobs` that are descriptions alone do nothing."""
    known = {
        name: job if isinstance(job, Job) else Job(name=name, command="true", description=job)
        for name, job in (jobs or {}).items()
    }
    registry = Registry(Config(jobs=known), store, clock)
    parts = Parts(
        registry=registry,
        store=store,
        engine=ObedientEngine(),
        logs=logs,
        github=None,
        slack=None,
        clock=clock,
        nonce=lambda: f"{time.monotonic_ns():016x}",
        owner="one",
        keys=keys,
        repositories=Repositories(store, registry, clock),
    )
    return composed(Composition(parts), url=url)
