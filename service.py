"""Puts the rooms together and runs them as one service, until it is told to stop."""

import asyncio
import errno
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from bot import clients
from bot.access import links
from bot.composition import Composition
from bot.config import Config, at_hand, cluster_settings, github_app, load
from bot.errors import ConfigError, Refused, RetryLater
from bot.github import Logins, Oidc
from bot.github.registration import Registration, register
from bot.handlers.slack.instant import InstantAnswers
from bot.parts import Parts
from bot.registry import Registry, renewed
from bot.repositories import Repositories
from bot.store import Store
from bot.telemetry.logging import configure
from bot.workers.loops import Workers
from executor import descriptors
from executor.engine import Engine
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from terminal.discovery import Door, standing
from webhooks.access import new_token, token_hash
from webhooks.app import Doors, create_app
from webhooks.pages import setup
from webhooks.pages.renderer import PageRenderer
from webhooks.server.collector import quiet_collector
from webhooks.server.connection_limits import ConnectionLimit
from webhooks.server.connections import limited
from webhooks.site import Controls, Site
from webhooks.streams import Streams

if TYPE_CHECKING:
    from bot.slack.socket_mode import SocketMode

log = structlog.get_logger()

GOODBYE = 5
"""Seconds that open requests have to end at a shutdown."""
BACKLOG = 2048
"""Connections that may wait to be accepted."""
FILES = 65_536
"""Files and connections that may be open, where the machine allows so many; a run in a cluster has three."""
TICK = 1.0
"""Seconds between two looks of the HTTP server at its clock, for the Date of its answers."""


class Server(uvicorn.Server):
    """Uvicorn that leaves signals to us and sleeps when nothing happens.

    Its own handling of signals would end the process before the belts let go, and its own loop looks
    ten times a second whether it should end.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Accept nothing more, let what is open end, then return from `serve`."""
        self.should_exit = True
        self._ending.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield

    async def main_loop(self) -> None:
        """Wait for the end; once in a while the Date header is brought up to date."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._ending.wait()


async def serve(
    config: Config, path: Path, host: str, port: int, clock: Callable[[], float] = time.time
) -> None:
    """Serve until SIGTERM or SIGINT; jobs that run then go on and are found again at the next start.

    SIGHUP reads the file at `path` again. `clock` gives epoch seconds. Raises `Refused` where the address or
    the database cannot be had, `RetryLater` and `EngineUnavailable` where they do not answer.
    """
    configure(clients.secrets(config))
    with _listen(host, port) as listener:
        await _serve(config, path, listener, clock)


async def _serve(config: Config, path: Path, listener: socket.socket, clock: Callable[[], float]) -> None:
    key = new_token()  # of the command line beside this service, and of nobody else
    door = Door(f"http://{_reachable(listener)}", config.url, key)
    limit = connection_limit(config)
    async with _assembled(config, path, clock, token_hash(key)) as (app, loops, streams, registry):
        server = Server(
            uvicorn.Config(
                app,
                http=limited(limit),
                ws="none",
                forwarded_allow_ips=list(config.proxies),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=GOODBYE,
            )
        )

        def stop() -> None:
            streams.close()
            server.end()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        reading = Reading(registry, path)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reading.again)
        quiet_collector()
        turning = asyncio.create_task(loops.run())
        turning.add_done_callback(lambda _: stop())  # without belts nothing would ever be answered
        try:
            with standing(config.database.reveal(), door):
                log.info("serving", url=config.url, address=f"http://{_shown(listener)}")
                await server.serve(sockets=[listener])
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            await reading.close()
            turning.cancel()
            await asyncio.gather(turning, return_exceptions=True)
        if not turning.cancelled():
            turning.result()  # which raises what ended the belts


class Reading:
    """Reads the file again whenever it is asked to, one time after the other."""

    def __init__(self, registry: Registry, path: Path) -> None:
        self._registry = registry
        self._path = path
        self._wakeup = asyncio.Event()
        self._task = asyncio.create_task(self._turn())

    def again(self) -> None:
        """The file may have changed."""
        self._wakeup.set()

    async def close(self) -> None:
        """Read no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _turn(self) -> None:
        while True:
            await self._wakeup.wait()
            self._wakeup.clear()
            try:
                await self._read()
            except ConfigError as error:
                log.error("config.refused", mistakes=str(error).splitlines())
            except RetryLater as error:
                log.error("config.refused", mistakes=[str(error)])
            except Exception:
                log.exception("config.failed")

    async def _read(self) -> None:
        new = await asyncio.to_thread(load, self._path, os.environ)
        config, kept = renewed(self._registry.config, new)
        changed = await self._registry.apply(config)
        if kept:
            log.warning("config.kept", sections=kept, why="these change with a restart only")
        log.info("config.applied", changed=changed)


@asynccontextmanager
async def _assembled(
    config: Config, path: Path, clock: Callable[[], float], local: str
) -> AsyncIterator[tuple[Any, Workers, Streams, Registry]]:
    """Everything in its place: the application, the belts, and the streams to close before it ends."""
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await Store.open(config.database.reveal(), owner=owner))
        if config.engine.kind != "kubernetes":
            await store.be_the_only_one()  # runs of the other engines are found on this machine only
        now = await store.in_step(clock)  # who answers whom stays with the machine's own clock
        # Bots that share the runs share the logs, which are then on a volume of all their machines.
        shared = store.is_shared and config.engine.kind == "kubernetes"
        logs = LogStore(config.logs.directory, config.logs.max_size, shared=shared)
        engine = engine_of(config, logs)
        await engine.open()
        stack.push_async_callback(engine.close)
        registry = await Registry.open(config, store, now)
        repositories = Repositories(store, registry, now)
        github, slack = clients.github(config, clock, repositories.known), clients.slack(config, clock)
        for client in (github, slack):
            if client is not None:
                stack.push_async_callback(client.close)
        # Without any secret nothing is ever posted, so links need not outlive this process.
        keys = await asyncio.to_thread(links.derive, clients.door_secrets(config)) or (
            secrets.token_bytes(32),
        )
        tools = Parts(
            registry=registry,
            store=store,
            engine=engine,
            logs=logs,
            github=github,
            slack=slack,
            clock=now,
            nonce=lambda: secrets.token_hex(8),
            owner=owner,
            keys=keys,
            repositories=repositories,
            socket_mode=_socket_mode(config, registry, store, clock),
        )
        made, streams = Composition(tools), Streams()
        oidc = clients.oidc(config, clock)
        stack.push_async_callback(oidc.close)
        logins = clients.logins(config, clock)
        if logins is not None:
            stack.push_async_callback(logins.close)
        pages = [] if config.github else _setup(config, path)
        app = _application(made, streams, oidc, logins, clock, local, pages)
        yield app, made.workers, streams, registry


def connection_limit(config: Config) -> ConnectionLimit:
    """Raise the limit of open files, and let connections have at most half of what it is then."""
    files = descriptors.raise_limit(FILES)
    most = min(config.limits.connections, files // 2)
    if most < config.limits.connections:
        log.warning("connections.fewer", connections=most, files=files, why="the hard limit of open files")
    return ConnectionLimit(most, config.proxies)


def engine_of(config: Config, logs: LogStore) -> Engine:
    """The engine that the configuration names; what only another one needs is not even imported."""
    if config.engine.kind == "process":
        return ProcessEngine(config.engine.process.directory, logs)
    if config.engine.kind == "kubernetes":
        from executor.kubernetes.engine import KubernetesEngine

        return KubernetesEngine(cluster_settings(config), logs)
    from executor.container import ContainerEngine, Settings

    container = config.engine.container
    settings = Settings(
        command=container.command,
        socket=container.socket,
        arguments=container.arguments,
        is_shared=container.storage == "shared",
        cache=container.cache,
    )
    return ContainerEngine(settings, container.directory, logs)


def _setup(config: Config, path: Path) -> Sequence[Any]:
    """The pages that make a GitHub App where there is none; the log tells where they are."""
    app, entrance = at_hand.unnamed(config, at_hand.Service.GITHUB), setup.Entrance(config.url)
    renderer = PageRenderer(clock=time.time)

    async def exchange(code: str) -> Registration:
        return await register(github_app.CLOUD, code, time.time)

    log.info("setup.open", address=entrance.address, why="there is no GitHub App yet")
    return setup.AppSetup(app, path, entrance, renderer, exchange).routes()


def _application(
    made: Composition,
    streams: Streams,
    oidc: Oidc,
    logins: Logins | None,
    clock: Callable[[], float],
    local: str,
    extra: Sequence[Any] = (),
) -> Any:
    """The doors; `clock` is the machine's, by which what was sent is judged; `local` opens the API."""
    tools = made.parts
    config, store = tools.registry.config, tools.store
    controls = Controls(
        tools.registry,
        made.pruning,
        made.calls,
        made.queries,
        oidc,
        tools.repositories,
        made.pages,
        made.who,
        logins,
    )
    site = Site(
        store=store,
        logs=tools.logs,
        keys=tools.keys,
        url=config.url,
        clock=tools.clock,
        streams=streams,
        local=local,
        controls=controls,
    )
    doors = Doors(
        github_secrets=[each.reveal() for each in config.github.webhook_secret] if config.github else [],
        slack_signing_secrets=[each.reveal() for each in config.slack.signing_secret] if config.slack else [],
        body_limit=config.limits.body,
        clock=clock,
        instant=InstantAnswers(tools.registry).of,
    )
    return create_app(
        store,
        doors,
        dead=made.workers.dead,
        extra=[*site.routes(), *extra],
        missing=site.missing(),
        remarks=tools.socket_mode.remarks if tools.socket_mode else tuple,
    )


def _socket_mode(
    config: Config, registry: Registry, store: Store, clock: Callable[[], float]
) -> "SocketMode | None":
    if config.slack is None or config.slack.app_token is None:
        return None
    from webhooks.deliveries.slack_socket import socket_mode

    return socket_mode(config.slack, store.add_delivery, clock, InstantAnswers(registry).of)


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reachable(listener: socket.socket) -> str:
    """Where this machine reaches it: an address that stands for all of them is none to connect to."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        return f"127.0.0.1:{port}" if host == "0.0.0.0" else f"[::1]:{port}"
    return _shown(listener)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send small answers at once.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        sentence = f"{host}:{port} cannot be listened on: {error.strerror}."
        if error.errno == errno.EADDRINUSE:
            sentence += " Another program has that port; --port chooses another one."
        raise Refused(sentence) from None
    return listener
