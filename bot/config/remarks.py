"""What `errand check` remarks on: the file may say it, and Errand runs with it, but somebody should know."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from bot.config.building import on_builds
from bot.config.config import Config
from bot.config.document import Document, Path, TextPosition, path_text
from bot.config.findings import Finding
from bot.config.interpolation import pieces_of
from bot.config.loading import Source, checked_source, source
from executor.spec import Secret

SIGNING = 16
"""Characters of the shortest secret for signatures that is not remarked on; 64 bits in hexadecimal."""
TOKEN = 20
"""The same of tokens; GitHub's have 40, Slack's more than 50."""
_DIFFERENT = 6
"""Different characters that a random secret of that length surely has."""

_EMPTY = "the file is empty, so everything has its default, and there is no job to run"
_NOTHING = "nothing stands below this key"
_SHORT = "shorter than {} characters, so it can be guessed; `openssl rand -hex 32` makes one that cannot"
_SHORT_SLACK = (
    "shorter than {} characters, so it is not the signing secret that Slack shows for an App, which has 32"
)
_SHORT_TOKEN = "shorter than {} characters, so it is no whole token"  # noqa: S105
_REPEATED = "made of less than {} different characters, so it can be guessed"
_SPACE = "begins or ends with white space, which counts: signatures and tokens fit only if it is meant"
_SHOWN = "stands in the file itself, which others on this machine may read; write ${NAME}, or `chmod o= FILE`"


def inspected(path: FilePath, environ: Mapping[str, str]) -> tuple[Config, list[Finding]]:
    """The configuration, and the remarks on it in the order of its lines; `Invalid` with every mistake.

    Blocking.
    """
    read = source(path, environ)
    is_empty = read.document.data is None
    config = checked_source(read)
    found = [*_on_content(read.document, is_empty=is_empty), *_on_secrets(read, config)]
    found += on_builds(config, environ)
    remarks = [Finding(str(path), what, *_at(read.document, where), "warning") for where, what in found]
    remarks.sort(key=lambda remark: remark.place or TextPosition())
    return config, [*read.env_file.remarks, *dict.fromkeys(remarks)]


def _at(document: Document, path: Path) -> tuple[TextPosition, str]:
    while path and path not in document.values:
        path = path[:-1]  # a default, or one value in place of a list
    is_nothing = len(path) == 1 and isinstance(document.data, dict) and document.data[str(path[0])] is None
    return document.place(path, key=is_nothing), path_text(path)


def _on_content(document: Document, *, is_empty: bool) -> Iterator[tuple[Path, str]]:
    if is_empty:
        yield (), _EMPTY
    elif isinstance(document.data, dict):
        yield from (((key,), _NOTHING) for key, value in document.data.items() if value is None)


def _on_secrets(read: Source, config: Config) -> Iterator[tuple[Path, str]]:
    for path, secret, shortest, what in _secrets(config):
        text = secret.reveal()
        if len(text) < shortest:
            yield path, what.format(shortest)
        elif len(set(text)) < _DIFFERENT:
            yield path, _REPEATED.format(_DIFFERENT)
        if text != text.strip():
            yield path, _SPACE
    for path in _proofs(config) if _may_be_read(read.path) else ():
        if _is_written(read.document, path):
            yield path, _SHOWN


def _secrets(config: Config) -> Iterator[tuple[Path, Secret, int, str]]:
    """What doors and calls are proved with: the path, how short it may be, and what is told if it is."""
    github, slack = config.github, config.slack
    if github is not None:
        for index, secret in enumerate(github.webhook_secret):
            yield ("github", "webhook_secret", index), secret, SIGNING, _SHORT
        if github.token is not None:
            yield ("github", "token"), github.token, TOKEN, _SHORT_TOKEN
    if slack is not None:
        for index, secret in enumerate(slack.signing_secret):
            yield ("slack", "signing_secret", index), secret, SIGNING, _SHORT_SLACK
        yield ("slack", "bot_token"), slack.bot_token, TOKEN, _SHORT_TOKEN
        if slack.app_token is not None:
            yield ("slack", "app_token"), slack.app_token, TOKEN, _SHORT_TOKEN


def _proofs(config: Config) -> Iterator[Path]:
    """Where the file may hold a secret itself."""
    yield from (path for path, *_ in _secrets(config))
    if config.github is not None and config.github.private_key is not None:
        yield ("github", "private_key")
    if urlsplit(config.database.reveal()).password:
        yield ("database",)


def _is_written(document: Document, path: Path) -> bool:
    """Whether the file says the value itself, and not only where it is to be taken from."""
    value = document.data
    for part in path:
        if isinstance(value, dict):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    return isinstance(value, int) or (
        isinstance(value, str) and all(isinstance(piece, str) for piece in pieces_of(value))
    )


def _may_be_read(path: FilePath) -> bool:
    """Whether every user of this machine may read the file."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
