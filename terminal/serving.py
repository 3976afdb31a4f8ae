"""Commands of the service itself: `serve`, `check`, `schema`, `manifest`, `demo`, `version`."""

import gc
import os
import time
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from terminal.configured import DEFAULT, ConfigOption, finished, loaded
from terminal.connection import check_github
from terminal.failures import USAGE, Failure, Usage, say
from terminal.findings import Format, report
from terminal.helping import Commands
from terminal.printing import document, facts
from terminal.rights import check_cluster
from terminal.slack_connection import check_slack
from terminal.who import check_who


def _version(flag: bool) -> None:
    if flag:
        version()
        raise typer.Exit


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (serve, check, schema, demo, version):
        cli.command()(command)
    manifests = Commands(help="What has to be applied for Errand to run somewhere.")
    manifests.command("github")(manifest_github)
    manifests.command("kubernetes")(manifest_kubernetes)
    manifests.command("slack")(manifest_slack)
    cli.add_typer(manifests, name="manifest")


def serve(
    config: ConfigOption = DEFAULT,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Run the service."""
    settings = loaded(config)
    gc.disable()  # what is loaded stays, so a fifth of the time went to looking; `quiet_collector` enables it
    import service

    finished(service.serve(settings, config, host, port))


def check(
    config: ConfigOption = DEFAULT,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Ask the cluster, too, whether Errand has the rights it needs.")
    ] = False,
    github: Annotated[
        bool, typer.Option("--github", help="Ask GitHub, too: what the App lacks, and what did not arrive.")
    ] = False,
    slack: Annotated[
        bool, typer.Option("--slack", help="Ask Slack, too: what the app lacks, and where the bot is not.")
    ] = False,
    who: Annotated[
        str | None,
        typer.Option("--who", metavar="LOGIN", help="Print, too, which jobs they may run and why."),
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            metavar="text|json|github",
            help="json for programs, github for annotations in GitHub Actions.",
        ),
    ] = Format.TEXT,
) -> None:
    """Is the configuration right? Needs no network.

    Tells every mistake with its line and column, and remarks on what is allowed and yet unwise. The exit code
    is 2 where there are mistakes, whatever the format.
    """
    from bot.config.findings import Invalid
    from bot.config.remarks import inspected

    options = [
        name
        for name, is_asked in (("cluster", cluster), ("github", github), ("slack", slack), ("who", who))
        if is_asked
    ]
    if options and form is not Format.TEXT:
        raise Usage(f"--{options[0]}: its answer is for people; leave out --format.")
    try:
        settings, remarks = inspected(config, os.environ)
    except Invalid as error:
        if form is Format.TEXT:
            raise Failure(str(error), USAGE) from None
        report(error.findings, form)
        raise typer.Exit(USAGE) from None
    report(remarks, form)
    if form is Format.TEXT:
        print(f"{config} is right.")
        facts([*settings.summary(), *settings.timetables(time.time())])
    if cluster:
        check_cluster(settings)
    if github:
        check_github(settings)
    if slack:
        check_slack(settings)
    if who is not None:
        check_who(settings, who)


def schema() -> None:
    """Print a JSON Schema of app.yaml, with which an editor completes and checks it.

    `errand schema > app.schema.json` writes it to where the first line of the sample looks for it.
    """
    import json

    from bot.config.schema import schema as whole

    typer.echo(json.dumps(whole(), indent=1))


def manifest_github(config: ConfigOption = DEFAULT) -> None:
    """Print the manifest of a GitHub App with exactly the permissions and events that app.yaml needs.

    `errand setup github` makes the App of it.
    """
    from bot.config.at_hand import Service, at_hand
    from bot.config.github_app import manifest
    from bot.errors import ConfigError

    try:
        document(manifest(at_hand(config, os.environ, Service.GITHUB).config))
    except ConfigError as error:
        raise Failure(str(error), 2) from None


def manifest_slack(
    config: ConfigOption = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="JSON in place of YAML; Slack takes both.")] = False,
) -> None:
    """Print the manifest of a Slack app with exactly the scopes and events that app.yaml needs.

    `errand setup slack` opens the page that makes the app of it.
    """
    from bot.config import slack_app
    from bot.config.at_hand import Service, at_hand
    from bot.errors import ConfigError

    try:
        app = at_hand(config, os.environ, Service.SLACK).config
    except ConfigError as error:
        raise Failure(str(error), 2) from None
    if as_json:
        document(slack_app.manifest(app))
    else:
        typer.echo(slack_app.written(app), nl=False)
    if slack_app.is_socket(app) and (app.slack is None or app.slack.app_token is None):
        say(f"Slack does not reach {app.url}, so this is for Socket Mode, which needs slack.app_token.")


def manifest_kubernetes(
    image: Annotated[
        str, typer.Option(metavar="REFERENCE", help="Where the cluster has the image of Errand from.")
    ],
    namespace: Annotated[str, typer.Option(metavar="NAME", help="Where Errand itself runs.")] = "errand",
    replicas: Annotated[
        int, typer.Option(metavar="N", min=1, max=20, help="How many bots; more need PostgreSQL.")
    ] = 1,
    storage: Annotated[
        str, typer.Option(metavar="QUANTITY", help="Size of the volume for logs and SQLite.")
    ] = "10Gi",
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMESPACE/NAME", help="A Secret that Errand may read to mask it; may be repeated."
        ),
    ] = None,
    config: ConfigOption = DEFAULT,
) -> None:
    """Print what `kubectl apply -f -` takes: Errand itself, and exactly the rights that it uses."""
    from bot.config.installing import InstallationRequest, manifest
    from bot.errors import ConfigError, Refused

    try:
        request = InstallationRequest(namespace, image, replicas, storage, secrets=tuple(secret or ()))
        typer.echo(manifest(config, os.environ, request), nl=False)
    except (ConfigError, Refused) as error:
        raise Failure(str(error), 2) from None


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the service up afterwards.")] = False,
) -> None:
    """Watch pushes and commands travel the whole way.

    Needs nothing but this machine.
    """
    from demo.tour import travel

    raise typer.Exit(finished(travel(keep=keep)))


def version() -> None:
    """Print the version."""
    typer.echo(installed_version("errand"))


def common(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """What may stand before every command."""
