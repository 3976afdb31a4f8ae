"""`errand token`: over the API where ERRAND_TOKEN is set, else in the database that the configuration names.

The first token of an installation can only be made there, by who may read the database anyway.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from terminal import printing
from terminal.configured import DEFAULT, finished, loaded
from terminal.failures import Failure, Usage, say
from terminal.helping import Commands
from terminal.keeping import Logins
from terminal.remote import Document, segment
from terminal.words import Json, connected, duration

if TYPE_CHECKING:
    from bot.store import Session
    from bot.tables import Token

LONGEST_NAME = 100
"""Characters of a token's name."""

BY = "terminal:database"
"""Who did it, in the journal: somebody who may read and write the database."""

T = TypeVar("T")
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="Change the database of this app.yaml, not a running Errand."
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="read, audit, run:JOB, run:*, exec or admin; may be repeated. Without one: read.",
    ),
]


def group() -> Commands:
    """The commands."""
    cli = Commands(help="API tokens, which open the pages and the API.")
    cli.command("create")(create)
    cli.command("list")(listing)
    cli.command("delete")(delete)
    return cli


def create(
    name: Name,
    scope: Scopes = None,
    admin: Annotated[bool, typer.Option("--admin", help="The same as --scope admin.")] = False,
    expires: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long it is good for, such as 90d; else until deleted."),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    if not name.isprintable() or not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise Usage(f"NAME: expected 1 to {LONGEST_NAME} printable characters.")
    seconds = duration(expires, "--expires")
    scopes = [*(scope or []), *(["admin"] if admin else [])] or ["read"]
    _checked(scopes)
    if _remotely(config):
        body: dict[str, Any] = {"name": name, "scopes": scopes}
        token = connected().ask("POST", "/api/tokens", body | ({"expires": expires} if expires else {}))
    else:
        token = _created(name, scopes, seconds, config)
    if json:
        printing.document(token)
        return
    say(f"The token {name!r}, shown only now:")
    print(token["token"])


def listing(config: Config = None, json: Json = False) -> None:
    """The tokens, what each may do, and its last use."""
    tokens = connected().ask("GET", "/api/tokens")["tokens"] if _remotely(config) else _listed(config)
    if json:
        for each in tokens:
            printing.document(each)
        return
    rows = [
        (each["name"], " ".join(each["scopes"]), *(printing.moment(each[key]) or "never" for key in _MOMENTS))
        for each in tokens
    ]
    printing.table(("name", "scopes", "created", "expires", "last used"), rows, "There are no tokens.")


_MOMENTS = ("created_at", "expires_at", "last_used_at")


def delete(name: Name, config: Config = None) -> None:
    """End a token at once, and the logins made from it."""
    if _remotely(config):
        connected().ask("DELETE", f"/api/tokens/{segment(name)}")
    else:
        _removed(name, config)
    say(f"The token {name!r} opens nothing any more.")


def _checked(scopes: list[str]) -> None:
    from bot.access.scopes import scope

    for each in scopes:
        try:
            scope(each)
        except ValueError as error:
            raise Usage(f"--scope: {error}, not {each}.") from None


def _remotely(config: Path | None) -> bool:
    """Whether the API is asked: not for whoever names a file, or has no token yet; logins count elsewhere."""
    if config is not None:
        return False
    if os.environ.get("ERRAND_TOKEN", "").strip():
        return True
    return not DEFAULT.exists() and Logins(os.environ).newest() is not None


def _created(name: str, scopes: list[str], seconds: float | None, config: Path | None) -> Document:
    from bot.store import journal, tokens
    from bot.store.journal_entries import token_created
    from webhooks.access import new_token, token_hash

    text, now = new_token(), time.time()
    expires_at = None if seconds is None else now + seconds

    def add(session: "Session") -> Document:
        try:
            row = tokens.add(
                session, name=name, hash=token_hash(text), now=now, scopes=scopes, expires_at=expires_at
            )
        except ValueError as error:
            raise Failure(str(error)) from None
        journal.record(session, [token_created(row, BY)])
        return _document(row) | {"token": text}

    return _in_database(config, add)


def _removed(name: str, config: Path | None) -> None:
    from bot.store import tokens

    now = time.time()
    if not _in_database(config, lambda session: tokens.revoke(session, by=BY, name=name, now=now)):
        raise Failure(f"There is no token {name!r}.")


def _listed(config: Path | None) -> list[Document]:
    from bot.store import tokens

    return _in_database(config, lambda session: [_document(each) for each in tokens.list(session)])


def _document(token: "Token") -> Document:
    """As the API tells it."""
    from webhooks.view import rfc3339

    moments = {key: getattr(token, key) for key in _MOMENTS}
    shown = {key: None if at is None else rfc3339(at) for key, at in moments.items()}
    return {"name": token.name, "scopes": list(token.scopes), **shown}


def _in_database(config: Path | None, work: Callable[["Session"], T]) -> T:
    from bot.store import Store

    settings = loaded(config or DEFAULT)

    async def change() -> T:
        owner = f"cli-{os.getpid()}"
        async with await Store.open(settings.database.reveal(), owner=owner, exclusive=False) as store:
            return await store.write(work)

    return finished(change())
