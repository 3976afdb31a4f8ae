"""The front door: the command line. What a command needs is imported when it runs, so that help is quick."""

import os
import time
from collections.abc import Callable, Coroutine
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.errors import ConfigError, Refused, RetryLater
from executor.errors import EngineUnavailable

if TYPE_CHECKING:
    from bot.config import Config
    from bot.store import Session

MAX_TOKEN_NAME = 100
"""Characters of a token's name."""

T = TypeVar("T")

cli = typer.Typer(
    name="errand",
    help="A ChatOps job runner: pull requests and Slack start jobs, pushes build images, answers come back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
manifest_cli = typer.Typer(help="What has to be applied for Errand to run somewhere.", no_args_is_help=True)
cli.add_typer(manifest_cli, name="manifest")
token_cli = typer.Typer(help="API tokens, which open the pages and the API.", no_args_is_help=True)
cli.add_typer(token_cli, name="token")

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The app.yaml of this installation.")]
console = Console(stderr=True)


def _loaded(path: Path) -> "Config":
    from bot.config import load

    try:
        return load(path, os.environ)
    except ConfigError as error:
        console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def _run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what the operator can mend is told in one sentence, without a traceback."""
    import uvloop

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
    import service

    _run(service.serve(loaded, config, host, port))


@cli.command()
def check(
    config: ConfigPath = Path("app.yaml"),
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Ask the cluster, too, whether Errand has the rights it needs.")
    ] = False,
) -> None:
    """Is the configuration right? Tells every mistake with its line and column; needs no network."""
    loaded = _loaded(config)
    out = Console()
    out.print(f"{config} is right.", style="green", highlight=False, markup=False)
    shown = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, text in [*loaded.summary(), *loaded.timetables(time.time())]:
        shown.add_row(Text(name, style="bold"), Text(text))
    out.print(shown)
    if cluster:
        _check_cluster(loaded, out)


def _check_cluster(config: "Config", out: Console) -> None:
    """Print a table of the rights; exit with 1 where something is missing."""
    if config.engine.kind != "kubernetes":
        console.print("There is no cluster to ask: engine.kind is not kubernetes.", style="red")
        raise typer.Exit(1)
    from bot.config import cluster_settings
    from bot.config.installing import uses_of
    from executor.kubernetes.reviews import reviewed

    built = any(image.build for image in config.images.values())
    review = _run(reviewed(cluster_settings(config), uses_of(config), has_builds=built))
    table = Table(
        "right", "namespace", "for", "allowed", title=f"Rights of {review.user}", title_justify="left"
    )
    for answer in review.answers:
        rule, verdict = answer.rule, "no" if answer.missing else "yes"
        if answer.missing and answer.missing != (rule.names or rule.verbs):
            verdict = f"no: {', '.join(answer.missing)}"
        style = "red" if answer.missing else "green"
        table.add_row(Text(str(rule)), Text(rule.namespace), Text(rule.why), Text(verdict, style=style))
    out.print(table)
    for text in review.hints:
        out.print(text, style="yellow", highlight=False, markup=False)
    for text in review.problems:
        console.print(text, style="red", highlight=False, markup=False)
    if any(answer.missing for answer in review.answers):
        advice = (
            "Apply what `errand manifest kubernetes` prints: its Roles have all of these. Name Secrets that"
            " only a live workload or a job of the API refers to with --secret NAMESPACE/NAME."
        )
        console.print(advice, style="red", highlight=False, markup=False)
    if not review.is_right:
        raise typer.Exit(1)


@manifest_cli.command("kubernetes")
def manifest_kubernetes(
    image: Annotated[str, typer.Option(help="Where the cluster has the image of Errand from.")],
    namespace: Annotated[str, typer.Option(help="Where Errand itself runs.")] = "errand",
    replicas: Annotated[int, typer.Option(min=1, max=20, help="How many bots; more need PostgreSQL.")] = 1,
    storage: Annotated[str, typer.Option(help="Size of the volume for logs and SQLite.")] = "10Gi",
    secret: Annotated[
        list[str] | None,
        typer.Option(help="NAMESPACE/NAME of a Secret that Errand may read to mask it; may be repeated."),
    ] = None,
    config: ConfigPath = Path("app.yaml"),
) -> None:
    """Print what `kubectl apply -f -` takes: Errand itself, and exactly the rights that it uses."""
    from bot.config.installing import Wanted, manifest

    try:
        wanted = Wanted(namespace, image, replicas, storage, secrets=tuple(secret or ()))
        typer.echo(manifest(config, os.environ, wanted), nl=False)
    except (ConfigError, Refused) as error:
        console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


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


@cli.command()
def apply(
    file: Annotated[
        Path, typer.Option("--file", "-f", help="One job, or `jobs:` with several; YAML or JSON.")
    ],
) -> None:
    """Create or change jobs of a running Errand: ERRAND_URL and ERRAND_TOKEN say which, and who."""
    import remote

    raise typer.Exit(_run(remote.apply(file, os.environ)))


async def _with_store(config: "Config", work: Callable[[Any], T]) -> T:
    from bot.store import Store

    owner = f"cli-{os.getpid()}"
    async with await Store.open(config.database.reveal(), owner=owner, exclusive=False) as store:
        return await store.write(work)


@token_cli.command("create")
def token_create(
    name: str,
    admin: Annotated[bool, typer.Option("--admin", help="It may change jobs, and delete runs.")] = False,
    config: ConfigPath = Path("app.yaml"),
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from bot.store import tokens
    from webhooks.access import new_token, token_hash

    if not name.isprintable() or not 1 <= len(name.strip()) <= MAX_TOKEN_NAME:
        raise typer.BadParameter(f"expected 1 to {MAX_TOKEN_NAME} printable characters", param_hint="NAME")
    text = new_token()
    hashed, now = token_hash(text), time.time()

    def add(session: "Session") -> None:
        try:
            tokens.add(session, name=name, hash=hashed, now=now, scopes=["admin" if admin else "read"])
        except ValueError as taken:
            raise Refused(str(taken)) from None

    _run(_with_store(_loaded(config), add))
    console.print(f"The token {name!r}, shown only now:", style="dim", highlight=False, markup=False)
    typer.echo(text)


@token_cli.command("list")
def token_list(config: ConfigPath = Path("app.yaml")) -> None:
    """Which tokens there are, and when each was last used."""
    from bot.store import tokens

    rows = _run(_with_store(_loaded(config), tokens.list))
    table = Table("name", "created", "last used", "may change jobs")
    for row in rows:
        table.add_row(
            Text(row.name),
            _date(row.created_at),
            _date(row.last_used_at),
            "yes" if "admin" in row.scopes else "",
        )
    Console().print(table)


@token_cli.command("delete")
def token_delete(name: str, config: ConfigPath = Path("app.yaml")) -> None:
    """End a token at once, and the logins made from it."""
    from bot.store import tokens

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
