"""`errand setup slack`: Slack's page makes the app, filled in; its secrets, typed here, go into `.env`."""

import getpass
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal.configured import DEFAULT, ConfigOption, finished
from terminal.credentials import BrowserOption, check_variables, read, show_page
from terminal.failures import Failure, plain, say

if TYPE_CHECKING:
    from bot.config.at_hand import AppAtHand
    from bot.config.slack_tokens import Kind
    from executor.spec import Secret

_PEOPLE = "`people: {U012AB3CD: octocat}`"
_LINE = 1000
"""Characters of a line that a pipe may bring; secrets have about a hundred."""
_ATTEMPTS = 5
"""How often a secret of the wrong kind may be typed."""


def slack(
    config: ConfigOption = DEFAULT,
    browser: BrowserOption = True,
    force: Annotated[
        bool, typer.Option("--force", help="Take another app's secrets in place of those configured.")
    ] = False,
) -> None:
    """Make a Slack app with exactly what app.yaml needs, and write its secrets into `.env`.

    Slack's page is opened, filled in. The secrets that it shows then are asked for without being shown here,
    or read from a pipe, one a line.
    """
    from bot.config import slack_app
    from bot.config.at_hand import Service

    app = read(config, Service.SLACK)
    kinds = tuple(_kinds(app))
    if slack_app.is_socket(app.config):
        chosen = app.config.slack is not None and app.config.slack.app_token is not None
        why = "as app_token says" if chosen else f"since Slack does not reach {app.config.url}"
        say(f"This is for Socket Mode, {why}: Errand connects to Slack, and needs no public address.")
    check_variables(app, config, kinds, force=force)
    _show_steps(app, kinds, browser=browser)
    secrets = {kind: _secret(kind) for kind in kinds}
    team = finished(_checked(app, secrets))
    _keep(app, config, secrets)
    print(f"{plain(team)} knows these secrets. They are in {config.with_name('.env')} now.")
    _add_section(app, config, kinds)
    if app.config.slack is None or not (app.config.slack.people or app.config.slack.email_domains):
        print(f"Nobody of Slack is known yet: write {_PEOPLE} below slack, a member ID and a GitHub login.")
    word, is_socket = slack_app.word(app.config), slack_app.is_socket(app.config)
    # Slack asks at the address, and takes no answer before Errand has the secret: only now there is one.
    verified = "" if is_socket else " let Slack verify the Request URL under App Manifest,"
    print(f"Next: `errand serve`,{verified} /invite @{slack_app.NAME} in a channel, and {word} help there.")


def _kinds(app: "AppAtHand") -> Iterator["Kind"]:
    """The secrets that this installation needs, and those that its file wants all the same."""
    from bot.config import slack_app
    from bot.config.slack_tokens import Kind

    is_socket = slack_app.is_socket(app.config)
    yield Kind.BOT_TOKEN
    if is_socket:
        yield Kind.APP_TOKEN
    if not is_socket or (app.is_named and Kind.SIGNING_SECRET in app.variables):
        yield Kind.SIGNING_SECRET


def _show_steps(app: "AppAtHand", kinds: tuple["Kind", ...], *, browser: bool) -> None:
    """What is to be done on Slack's pages, where all of it is clicked."""
    from bot.config import slack_app
    from bot.config.slack_tokens import LOOKS

    address = slack_app.link(slack_app.manifest(app.config))
    say(f"1. Open this page, choose your workspace, and make the app:\n\n{address}\n")
    say(f"   (Too long to open? `errand manifest slack` prints what {slack_app.PAGE} takes from a manifest.)")
    say("2. On its page Install App, install it to the workspace.")
    if slack_app.is_socket(app.config):
        say(f"3. Basic Information, App-Level Tokens: generate one with the scope {slack_app.CONNECTIONS}.")
    say("What you copy from there is not shown here:")
    for kind in kinds:
        say(f"   - {LOOKS[kind]}")
    if browser:
        show_page(address)


def _secret(kind: "Kind") -> "Secret":
    """The secret, of the right kind; raises `Failure` where none comes."""
    from bot.config.slack_tokens import LOOKS, mistake
    from executor.spec import Secret

    for _ in range(_ATTEMPTS):
        text = _line(f"{LOOKS[kind].name}: ").strip()
        if not text:
            raise Failure("Nothing was written.")
        problem = mistake(kind, text)
        if problem is None:
            return Secret(text)
        if not sys.stdin.isatty():
            raise Failure(f"{LOOKS[kind].name}: {problem}")
        say(f"Not that one: {problem}.")
    raise Failure("Nothing was written.")


def _line(prompt: str) -> str:
    """What is typed unseen, or the next line of a pipe; nothing where that ended."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(_LINE)
    try:
        return getpass.getpass(prompt)
    except EOFError:
        return ""


async def _checked(app: "AppAtHand", secrets: Mapping["Kind", "Secret"]) -> str:
    """What the workspace is called whose tokens these are; raises `Refused`, `RetryLater`."""
    from bot.config import slack_app
    from bot.config.slack_tokens import Kind
    from bot.slack.review import bot_of, connects

    api_url = app.config.slack.api_url if app.config.slack else slack_app.API
    bot = await bot_of(api_url, secrets[Kind.BOT_TOKEN], time.time)
    if Kind.APP_TOKEN in secrets:
        await connects(api_url, secrets[Kind.APP_TOKEN], time.time)
    for scope in slack_app.scopes(app.config):
        if scope.name not in bot.scopes:
            say(f"The app lacks the scope {scope.name} ({scope.reason}): add it, and install it again.")
    return bot.team


def _keep(app: "AppAtHand", config: Path, secrets: Mapping["Kind", "Secret"]) -> None:
    from bot.config import envfile
    from bot.config.findings import Invalid

    values = {app.variables[kind]: secret.reveal() for kind, secret in secrets.items()}
    try:
        envfile.put(config, values)
    except (Invalid, OSError) as error:
        raise Failure(f"The secrets could not be written: {error}") from None


def _add_section(app: "AppAtHand", config: Path, kinds: tuple["Kind", ...]) -> None:
    """Put the section into app.yaml, or say what it needs."""
    from bot.config.at_hand import append, section

    if app.is_named:
        return
    text = section(app.service, kinds)
    try:
        is_added = config.exists() and append(config, text, os.environ, app.service)
    except OSError:
        is_added = False
    print(f"{config} {'has' if is_added else 'needs'} these lines{' now' if is_added else ''}:\n{text}")
