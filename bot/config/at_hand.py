"""What an `app.yaml` says of an app of Errand's at GitHub or Slack before there is one.

Secrets that are not there yet have stand-ins, so that everything else of the file counts as it is.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path as FilePath

from bot.config.config import Config
from bot.config.document import Value
from bot.config.envfile import beside
from bot.config.findings import Invalid
from bot.config.interpolation import Reference
from bot.config.loading import Source, checked_source, source
from bot.config.stand_ins import IDS, SECRETS, pieces, stand_ins, variable_uses


class Service(StrEnum):
    """Whose app it is; the name of its section in the file."""

    GITHUB = "github"
    SLACK = "slack"


VARIABLES: Mapping[Service, Mapping[str, str]] = {
    Service.GITHUB: {
        "app_id": "GITHUB_APP_ID",
        "private_key": "GITHUB_PRIVATE_KEY",
        "webhook_secret": "GITHUB_WEBHOOK_SECRET",
        "client_id": "GITHUB_CLIENT_ID",
        "client_secret": "GITHUB_CLIENT_SECRET",
    },
    Service.SLACK: {
        "bot_token": "SLACK_BOT_TOKEN",
        "signing_secret": "SLACK_SIGNING_SECRET",
        "app_token": "SLACK_APP_TOKEN",
    },
}
"""The credentials of each app, by their fields: the variable that is usual."""

LOGIN = ("client_id", "client_secret")
"""Those of GitHub that a file may do without: people log in with them."""


@dataclass(frozen=True, slots=True)
class AppAtHand:
    """What the file says. `is_named` says whether it has the section.

    `variables`: what the credentials are called in the environment, by field; a field that stands in the file
    itself, or that a section that is there does not have, has none.
    """

    config: Config
    service: Service
    variables: Mapping[str, str]
    is_named: bool

    def unkept(self, *fields: str) -> list[str]:
        """Of these credentials those that `.env` cannot give: no variable of the file stands for them."""
        return [field for field in fields or self.fields if field not in self.variables]

    @property
    def fields(self) -> tuple[str, ...]:
        """The credentials that the file has or needs."""
        github = self.config.github
        spared = LOGIN if self.is_named and github is not None and github.client_id is None else ()
        return tuple(field for field in VARIABLES[self.service] if field not in spared)

    @property
    def login_lines(self) -> str | None:
        """What the section of GitHub lacks for people to log in; None where it lacks nothing."""
        lacking = [each for each in LOGIN if self.service is Service.GITHUB and each not in self.fields]
        usual = VARIABLES[Service.GITHUB]
        return "\n".join(f"  {field}: ${{{usual[field]}}}" for field in lacking) or None

    @property
    def kept(self) -> Mapping[str, str]:
        """The variables that `.env` gets of an App, by field: GitHub tells the secret of its client once."""
        usual = {each: VARIABLES[Service.GITHUB][each] for each in LOGIN} if self.login_lines else {}
        return {**usual, **self.variables}


def at_hand(path: FilePath, environ: Mapping[str, str], service: Service) -> AppAtHand:
    """Read the file as if its app were there already; `Invalid` for its other mistakes. Blocking.

    Where there is no file, there is a configuration with all defaults.
    """
    if not path.exists():
        return unnamed(Config(), service)
    read = source(path, environ)
    data = read.document.data
    section = data.get(service) if isinstance(data, dict) else None
    if not isinstance(section, dict):
        return unnamed(_checked(read, {}), service)
    fields = {field: _variable(section.get(field)) for field in VARIABLES[service]}
    variables = {field: name for field, name in fields.items() if name}
    missing = {name: field for field, name in variables.items() if not read.environ.get(name)}
    known = {**SECRETS, **IDS}
    filled = {name: known[service, field] for name, field in missing.items()}
    return AppAtHand(_checked(read, filled), service, variables, is_named=True)


def unnamed(config: Config, service: Service) -> AppAtHand:
    """A configuration without the section: its app gets the usual variables."""
    return AppAtHand(config, service, VARIABLES[service], is_named=False)


def _checked(read: Source, filled: Mapping[str, str]) -> Config:
    uses = list(variable_uses(read.document.data))
    environ = {**stand_ins(read.document.data, uses), **read.environ, **filled}
    return checked_source(replace(read, environ=environ))


def _variable(value: Value) -> str | None:
    """The variable that `value` is, and nothing else; of a list the first one that is."""
    if isinstance(value, list):
        return next((name for each in value if (name := _variable(each))), None)
    if not isinstance(value, str):
        return None
    found = pieces(value)
    return found[0].name if len(found) == 1 and isinstance(found[0], Reference) else None


def section(service: Service, fields: Iterable[str] | None = None) -> str:
    """What an `app.yaml` without the section needs: these credentials, or all of the service."""
    usual = VARIABLES[service]
    return "\n".join((f"{service}:", *(f"  {field}: ${{{usual[field]}}}" for field in fields or usual)))


def append(path: FilePath, text: str, environ: Mapping[str, str], service: Service) -> bool:
    """Add a section at the end of the file, where that makes it one that is right; gives whether it did.

    It is another file from one moment to the next. Raises OSError. Blocking.
    """
    place = FilePath(os.path.realpath(path))
    made = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        shutil.copy(place, made)  # with its mode
        with made.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
            file.flush()
            os.fsync(file.fileno())
        if not at_hand(made, {**beside(path).values, **environ}, service).is_named:
            return False
        made.rename(place)
    except Invalid:
        return False
    finally:
        made.unlink(missing_ok=True)
    return True


def configured(path: FilePath, environ: Mapping[str, str], variables: Mapping[str, str]) -> list[str]:
    """The variables among these that have a value already, in the environment or in `.env`. Blocking."""
    env_file = beside(path)
    if env_file.mistakes:
        raise Invalid(list(env_file.mistakes))
    values = env_file.under(environ)
    return [name for name in variables.values() if values.get(name)]
