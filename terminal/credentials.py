"""What `errand setup` of any service begins with: where its credentials go, and the browser."""

import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal.failures import Failure

if TYPE_CHECKING:
    from bot.config.at_hand import AppAtHand, Service

BrowserOption = Annotated[bool, typer.Option(help="Open the page in a browser.")]


def read(config: Path, service: "Service") -> "AppAtHand":
    """What the file says of the app before there is one; its mistakes are the command's."""
    from bot.config.at_hand import at_hand
    from bot.errors import ConfigError

    try:
        return at_hand(config, os.environ, service)
    except ConfigError as error:
        raise Failure(str(error), 2) from None


def check_variables(app: "AppAtHand", config: Path, fields: Sequence[str], *, force: bool) -> None:
    """Raise `Failure` unless `.env` can take these credentials, and has none yet or is to lose them."""
    from bot.config.at_hand import VARIABLES, configured
    from bot.errors import ConfigError

    if unkept := app.unkept(*fields):
        places = ", ".join(f"{app.service}.{field}" for field in unkept)
        raise Failure(
            f"{config}: write a variable such as ${{{VARIABLES[app.service][unkept[0]]}}} at {places};"
            " the keys of the App come into .env, which only variables take them from."
        )
    variables = {field: app.variables[field] for field in fields}
    try:
        known = configured(config, os.environ, variables)
    except ConfigError as error:
        raise Failure(str(error), 2) from None
    if known and not force:
        raise Failure(f"{', '.join(known)}: there is an app already. Another one in its place: --force.")
    if hidden := [name for name in variables.values() if name in os.environ]:
        raise Failure(f"{', '.join(hidden)}: what the environment has goes before .env. Unset it first.")


def show_page(address: str) -> None:
    """Open it in a browser, where there is one with windows: one that draws text would take the terminal."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
