"""Commands of the service itself: `serve`, `check`, `schema`, `manifest`, `demo`, `version`."""

import os
import time
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from terminal.configured import DEFAULT, ConfigOption, finished, loaded
from terminal.failures import Failure
from terminal.printing import facts
from terminal.rights import check_cluster


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (serve, check, schema, demo, version):
        cli.command()(command)
    manifests = typer.Typer(help="What has to be applied for Errand to run somewhere.", no_args_is_help=True)
    manifests.command("kubernetes")(manifest_kubernetes)
    cli.add_typer(manifests, name="manifest")


def serve(
    config: ConfigOption = DEFAULT,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Run the service."""
    found = loaded(config)
    import service

    finished(service.serve(found, config, host, port))


def check(
    config: ConfigOption = DEFAULT,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Ask the cluster, too, whether Errand has the rights it needs.")
    ] = False,
) -> None:
    """Is the configuration right? Needs no network.

    Tells every mistake with its line and column.
    """
    found = loaded(config)
    print(f"{config} is right.")
    facts([*found.summary(), *found.timetables(time.time())])
    if cluster:
        check_cluster(found)


def schema() -> None:
    """Print a JSON Schema of app.yaml, with which an editor completes and checks it.

    `errand schema > app.schema.json` writes it to where the first line of the sample looks for it.
    """
    import json

    from bot.config.schema import schema as whole

    typer.echo(json.dumps(whole(), indent=1))


def manifest_kubernetes(
    image: Annotated[str, typer.Option(help="Where the cluster has the image of Errand from.")],
    namespace: Annotated[str, typer.Option(help="Where Errand itself runs.")] = "errand",
    replicas: Annotated[int, typer.Option(min=1, max=20, help="How many bots; more need PostgreSQL.")] = 1,
    storage: Annotated[str, typer.Option(help="Size of the volume for logs and SQLite.")] = "10Gi",
    secret: Annotated[
        list[str] | None,
        typer.Option(help="NAMESPACE/NAME of a Secret that Errand may read to mask it; may be repeated."),
    ] = None,
    config: ConfigOption = DEFAULT,
) -> None:
    """Print what `kubectl apply -f -` takes: Errand itself, and exactly the rights that it uses."""
    from bot.config.installing import Wanted, manifest
    from bot.errors import ConfigError, Refused

    try:
        wanted = Wanted(namespace, image, replicas, storage, secrets=tuple(secret or ()))
        typer.echo(manifest(config, os.environ, wanted), nl=False)
    except (ConfigError, Refused) as error:
        raise Failure(str(error), 2) from None


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the service up afterwards.")] = False,
) -> None:
    """Watch pushes and commands travel the whole way.

    Needs nothing but this machine.
    """
    from demo.journey import travel

    raise typer.Exit(finished(travel(keep=keep)))


def version() -> None:
    """Print the version."""
    typer.echo(installed_version("errand"))
