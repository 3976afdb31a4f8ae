"""What commands of the operator have in common: the configuration, and an end that is told in a sentence."""

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from terminal.failures import Failure

if TYPE_CHECKING:
    from bot.config import Config

T = TypeVar("T")

DEFAULT = Path("app.yaml")
"""Where the configuration is if nobody says."""
ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The app.yaml of this installation.")
]


def loaded(path: Path) -> "Config":
    """The configuration; its mistakes are the command's."""
    from bot.config import load
    from bot.errors import ConfigError

    try:
        return load(path, os.environ)
    except ConfigError as error:
        raise Failure(str(error), 2) from None


def finished(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what the operator can mend is told in one sentence, without a traceback."""
    import uvloop

    from bot.errors import ConfigError, Refused, RetryLater
    from executor.errors import EngineUnavailable

    try:
        return uvloop.run(main)
    except (ConfigError, Refused, RetryLater, EngineUnavailable, OSError) as error:
        raise Failure(str(error)) from None
