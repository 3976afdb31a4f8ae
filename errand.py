"""The front door: the command line, and the only place that puts the rooms together."""

import asyncio
import errno
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote, urlsplit

import structlog
import typer
import uvicorn
import uvloop
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import links, oplog
from bot.config import Config, load
from bot.errors import ConfigError, Refused, RetryLater
from bot.github import GitHub
from bot.loops import Loops
from bot.slack import Slack
from bot.store import Session, Store, tokens
from bot.tools import Tools
from executor.errors import EngineUnavailable
from executor.logs import LogStore
from executor.process import ProcessEngine
from executor.spec import Secret
from webhooks.access import new_token, token_hash
from webhooks.app import Doors, create_app
from webhooks.collector import quiet_collector
from webhooks.site import Site
from webhooks.streams import Streams

log = structlog.get_logger()

GOODBYE = 5
"""Seconds that open requests have to end at a shutdown."""
BACKLOG = 2048
"""Connections that may wait to be accepted."""
MAX_TOKEN_NAME = 100
"""Characters of a token's name."""

T = TypeVar("T")

cli = typer.Typer(
    name="errand",
    help="A ChatOps job runner: pull requests and Slack start jobs, pushes build images, answers come back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
token_cli = typer.Typer(help="API tokens, which open the pages and the API.", no_args_is_help=True)
cli.add_typer(token_cli, name="token")

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The app.yaml of this installation.")]
console = Console(stderr=True)


class Server(uvicorn.Server):
    """Uvicorn that leaves signals to us: its own handling would end the process before the belts let go."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


# The service -------------------------------------------------------------------------------------


async def service(config: Config, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; jobs that run then go on and are found again at the next start."""
    async with assembled(config) as (app, loops, streams):
        server = Server(
            uvicorn.Config(
                app,
                http="httptools",
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
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        quiet_collector()
        turning = asyncio.create_task(loops.run())
        turning.add_done_callback(lambda _: stop())  # without belts nothing would ever be answered
        log.info("serving", url=config.url, address=f"http://{_shown(listener)}")
        try:
            await server.serve(sockets=[listener])
        finally:
            turning.cancel()
            await asyncio.gather(turning, return_exceptions=True)
        if not turning.cancelled():
            turning.result()  # which raises what ended the belts


@asynccontextmanager
async def assembled(config: Config) -> AsyncIterator[tuple[Any, Loops, Streams]]:
    """Everything in its place: the application, the belts, and the streams to close before it ends."""
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await Store.open(config.database.reveal(), owner=owner))
        await store.be_the_only_one()  # the process engine's runs are found on this machine only
        logs = LogStore(config.logs.directory, config.logs.max_size)
        engine = ProcessEngine(config.engine.process.directory, logs)
        await engine.open()
        stack.push_async_callback(engine.close)
        github, slack = _github(config), _slack(config)
        for client in (github, slack):
            if client is not None:
                stack.push_async_callback(client.close)
        # Without any secret nothing is ever posted, so links need not outlive this process.
        keys = await asyncio.to_thread(links.derive, _door_secrets(config)) or (secrets.token_bytes(32),)
        tools = Tools(
            config=config,
            store=store,
            engine=engine,
            logs=logs,
            github=github,
            slack=slack,
            clock=time.time,
            nonce=lambda: secrets.token_hex(8),
            owner=owner,
            keys=keys,
        )
        loops, streams = Loops(tools), Streams()
        yield _application(tools, loops, streams), loops, streams


def _application(tools: Tools, loops: Loops, streams: Streams) -> Any:
    config, store, clock = tools.config, tools.store, tools.clock
    site = Site(
        store=store,
        logs=tools.logs,
        keys=tools.keys,
        url=config.url,
        clock=clock,
        jobs={name: job.description for name, job in config.catalog.jobs.items()},
        command=config.command,
        streams=streams,
    )
    signing = config.slack.signing_secret if config.slack else None
    doors = Doors(
        github_secrets=[each.reveal() for each in config.github.webhook_secret] if config.github else [],
        slack_signing_secret=signing.reveal() if signing else None,
        body_limit=config.limits.body,
        clock=clock,
    )
    return create_app(store, doors, dead=loops.dead, extra=site.routes())


def _door_secrets(config: Config) -> list[Secret]:
    """What the doors verify with; links and sessions are signed with keys made from it."""
    found = list(config.github.webhook_secret) if config.github else []
    if config.slack and config.slack.signing_secret:
        found.append(config.slack.signing_secret)
    return found


def _secrets(config: Config) -> list[Secret]:
    """What no log line may show."""
    database = config.database.reveal()
    found = [*_door_secrets(config), config.database, Secret(unquote(urlsplit(database).password or ""))]
    if config.github:
        found += [secret for secret in (config.github.private_key, config.github.token) if secret]
    if config.slack:
        found.append(config.slack.bot_token)
    return found


def _github(config: Config) -> GitHub | None:
    if config.github is None:
        return None
    return GitHub(
        api_url=config.github.api_url,
        app_id=config.github.app_id,
        private_key=config.github.private_key,
        token=config.github.token,
        clone_url=config.github.clone_url,
        clock=time.time,
    )


def _slack(config: Config) -> Slack | None:
    if config.slack is None:
        return None
    return Slack(api_url=config.slack.api_url, bot_token=config.slack.bot_token, clock=time.time)


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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


# The command line --------------------------------------------------------------------------------


def _loaded(path: Path) -> Config:
    try:
        return load(path, os.environ)
    except ConfigError as error:
        console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def _run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what the operator can mend is told in one sentence, without a traceback."""
    try:
        return uvloop.run(main)
    except (ConfigError, Refused, RetryLater, EngineUnavailable, OSError) as error:
        console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@cli.command()
def serve(
    config: ConfigPath = Path("app.yaml"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Run the service."""
    loaded = _loaded(config)
    oplog.configure(_secrets(loaded))

    async def main() -> None:
        with _listen(host, port) as listener:
            await service(loaded, listener)

    _run(main())


@cli.command()
def check(config: ConfigPath = Path("app.yaml")) -> None:
    """Is the configuration right? Tells every mistake with its line and column; needs no network."""
    loaded = _loaded(config)
    out = Console()
    out.print(f"{config} is right.", style="green", highlight=False, markup=False)
    shown = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, text in loaded.summary():
        shown.add_row(Text(name, style="bold"), Text(text))
    out.print(shown)


@cli.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the service up afterwards.")] = False,
) -> None:
    """Watch a push, comments and a Slack command travel the whole way; needs nothing but this machine."""
    from demo.journey import travel

    raise typer.Exit(_run(travel(keep=keep)))


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("errand"))


async def _with_store(config: Config, work: Callable[[Any], T]) -> T:
    owner = f"cli-{os.getpid()}"
    async with await Store.open(config.database.reveal(), owner=owner, exclusive=False) as store:
        return await store.write(work)


@token_cli.command("create")
def token_create(name: str, config: ConfigPath = Path("app.yaml")) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    if not name.isprintable() or not 1 <= len(name.strip()) <= MAX_TOKEN_NAME:
        raise typer.BadParameter(f"expected 1 to {MAX_TOKEN_NAME} printable characters", param_hint="NAME")
    text = new_token()
    hashed, now = token_hash(text), time.time()

    def add(session: Session) -> None:
        try:
            tokens.add(session, name=name, hash=hashed, now=now)
        except ValueError as taken:
            raise Refused(str(taken)) from None

    _run(_with_store(_loaded(config), add))
    console.print(f"The token {name!r}, shown only now:", style="dim", highlight=False, markup=False)
    typer.echo(text)


@token_cli.command("list")
def token_list(config: ConfigPath = Path("app.yaml")) -> None:
    """Which tokens there are, and when each was last used."""
    rows = _run(_with_store(_loaded(config), tokens.list))
    table = Table("name", "created", "last used")
    for row in rows:
        table.add_row(Text(row.name), _date(row.created_at), _date(row.last_used_at))
    Console().print(table)


@token_cli.command("delete")
def token_delete(name: str, config: ConfigPath = Path("app.yaml")) -> None:
    """End a token at once, and the logins made from it."""
    if not _run(_with_store(_loaded(config), lambda s: tokens.remove(s, name=name))):
        console.print(f"There is no token {name!r}.", style="red", highlight=False, markup=False)
        raise typer.Exit(1)


def _date(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at is not None else "never"


def main() -> None:
    """The `errand` command."""
    cli()


if __name__ == "__main__":
    main()
