"""A private Errand for one chat: the service's own parts on a database of its own, without doors."""

import os
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bot.catalog.due import plans_of
from bot.composition import Composition
from bot.config import Config
from bot.config.loading import checked_source, source
from bot.errors import ConfigError
from bot.parts import Parts
from bot.registry import Registry
from bot.repositories import Repositories
from bot.store import Store, ticks
from executor.logs.store import LogStore
from service import engine_of
from terminal.checkout import Checkouts

BY = "this chat"
"""Who has paused all schedules: nothing is started here that nobody asked for."""


def config_at(path: Path, environ: Mapping[str, str], home: Path) -> Config:
    """The configuration of the file as a chat takes it: without its GitHub, Slack and database.

    What these say is not even read, since it names secrets that who tries something need not have.
    Repositories bring no jobs there. Everything that is written goes below `home`. Raises `ConfigError`.
    """
    read = source(path, environ)
    document = read.document
    if not document.mistakes:
        written = document.data if isinstance(document.data, dict) else {}
        for name in ("url", "database", "logs", "repository_jobs"):
            written.pop(name, None)
        written |= {
            "database": f"sqlite:///{home}/errand.db",
            "logs": {"directory": f"{home}/logs"},
            "github": {"token": "none"},
            "slack": {"bot_token": "xoxb-none"},
        }
        document.data = written
    config = checked_source(read)
    if config.engine.kind == "kubernetes":
        raise ConfigError(
            f"{path}: engine.kind: a chat runs jobs on this machine; in a cluster it would tidy up what the"
            " Errand there runs. Try the jobs with `kind: process` or `container`."
        )
    return _moved(config, home)


def _moved(config: Config, home: Path) -> Config:
    """With the engine's directory below `home`; every repository may be asked for."""
    engine, github = config.engine, config.github
    place = {"directory": home / "work"}
    kinds = {"process": engine.process, "container": engine.container}
    moved = {name: section.model_copy(update=place) for name, section in kinds.items()}
    update: dict[str, object] = {"engine": engine.model_copy(update=moved)}
    if github is not None:
        update["github"] = github.model_copy(update={"repositories": ("*/*",)})
    return config.model_copy(update=update)


def checkouts(named: tuple[str, ...], config: Config) -> Checkouts:
    """Where code is from: `REPOSITORY=PATH`, a path alone for all others, else the checkout around here."""
    paths: dict[str, Path] = {}
    for each in named:
        name, sign, path = each.partition("=")
        repository = name if sign and "/" in name and not Path(each).exists() else ""
        directory = Path(path if repository else each).expanduser()
        if _top(directory) is None:
            raise ConfigError(f"--checkout: there is no git checkout at {directory}.")
        paths[repository.casefold()] = directory
    here = _top(Path.cwd())
    if not paths and here is not None:
        paths[""] = here
    return Checkouts(paths)


def _top(path: Path) -> Path | None:
    """The checkout that `path` is in."""
    command = ["git", "-C", str(path), "rev-parse", "--show-toplevel"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


@asynccontextmanager
async def house(config: Config, github: Checkouts) -> AsyncIterator[Composition]:
    """Everything in its place, with all schedules paused."""
    owner = f"chat-{os.getpid()}"
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await Store.open(config.database.reveal(), owner=owner))
        logs = LogStore(config.logs.directory, config.logs.max_size)
        engine = engine_of(config, logs)
        await engine.open()
        stack.push_async_callback(engine.close)

        scheduled = [plan.key for plan in plans_of(*config.jobs.values())]
        registry = await Registry.open(config, store, time.time)
        tools = Parts(
            registry=registry,
            store=store,
            engine=engine,
            logs=logs,
            github=github,
            slack=None,
            clock=time.time,
            nonce=lambda: secrets.token_hex(8),
            owner=owner,
            keys=(secrets.token_bytes(32),),
            repositories=Repositories(store, registry, time.time),
        )
        await store.write(
            lambda session: [
                ticks.change(session, key, paused=True, paused_until=None, paused_by=BY) for key in scheduled
            ]
        )
        yield Composition(tools)
