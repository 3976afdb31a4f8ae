"""`errand login`, `errand logout`, `errand whoami`: somebody comes as the person that they are on GitHub."""

import os
import platform
import sys
import time
from datetime import datetime
from typing import Annotated

import typer

from bot.errors import ProblemType
from terminal import printing
from terminal.credentials import BrowserOption, show_page
from terminal.failures import Failure, Problem, Unreachable, plain, say
from terminal.keeping import Logins
from terminal.remote import Document, Remote, Where, checked_address, meant
from terminal.words import Json, connected

_LONGEST_WAIT = 60
"""Seconds between two questions, whatever the other side says."""


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (login, logout, whoami):
        cli.command()(command)


Address = Annotated[
    str | None,
    typer.Argument(
        metavar="ADDRESS", help="Which Errand: https://errand.example.com. Else ERRAND_URL, or here."
    ),
]


def login(address: Address = None, browser: BrowserOption = True) -> None:
    """Log in with GitHub, for twelve hours; what you may is what you may in a comment.

    Commands come with this login where ERRAND_TOKEN is not set.
    """
    place = _place(address)
    remote = Remote(Where(place, ""))
    code = _begun(remote)
    uri = plain(code["verification_uri"])
    say(f"Open {uri} and type the code {plain(code['user_code'])}")
    if browser and sys.stderr.isatty():
        show_page(uri)
    made = _finished(remote, code)
    ends = datetime.fromisoformat(made["expires_at"]).timestamp()
    ringed = Logins(os.environ).keep(place, made["login"], ends, made["token"])
    where = "the keyring" if ringed else str(Logins(os.environ).path)
    say(f"Logged in at {place} as {plain(made['login'])}, until {printing.moment(made['expires_at'])}.")
    say(f"The token is in {where}. `errand logout` ends it.")
    if os.environ.get("ERRAND_TOKEN", "").strip():
        say("ERRAND_TOKEN is set, so commands come with that and not with this login.")


def logout(address: Address = None) -> None:
    """End a login, here and on the server."""
    logins = Logins(os.environ)
    kept = logins.at(_place(address)) if address or os.environ.get("ERRAND_URL") else logins.newest()
    if kept is None:
        raise Failure("You are not logged in there." if address else "You are not logged in.")
    token = logins.token(kept)
    try:
        if token is not None:
            Remote(Where(kept.address, token)).ask("DELETE", "/api/login")
    except Problem as error:
        if error.status != 401:  # such a one has ended there already
            raise
    except Unreachable as error:
        logins.forget(kept.address)
        raise Failure(
            f"{error}\nThe login is forgotten here. There it ends by itself within twelve hours, or at once"
            f" on {kept.address}/sessions."
        ) from None
    logins.forget(kept.address)
    say(f"Logged out at {kept.address}.")


def whoami(json: Json = False) -> None:
    """Who Errand takes you for, and what you may."""
    remote = connected()
    document = remote.ask("GET", "/api/login")
    if json:
        printing.document(document)
        return
    who = document["login"] or document["name"]
    until = f", until {printing.moment(document['expires_at'])}" if document["expires_at"] else ""
    may = " ".join(document["scopes"]) or "nothing"
    print(f"{plain(who)} at {remote.place.address}: {plain(may)}{until}")


def _place(address: str | None) -> str:
    return checked_address(address.rstrip("/")) if address else meant(os.environ)


def _begun(remote: Remote) -> Document:
    try:
        return remote.ask("POST", "/api/login", {})
    except Problem as error:
        if error.kind != ProblemType.NO_LOGIN:
            raise
        raise Failure(
            f"{error}\nWithout that, ERRAND_TOKEN takes what `errand token create NAME` prints."
        ) from None


def _finished(remote: Remote, code: Document) -> Document:
    """The login, once somebody has agreed; a server that is away for a moment is asked again."""
    body = {"device_code": code["device_code"], "machine": platform.node()[:100]}
    ends, pause = time.monotonic() + float(code["expires_in"]), float(code["interval"])
    while time.monotonic() < ends:
        time.sleep(min(max(pause, 1.0), _LONGEST_WAIT))
        try:
            answer = remote.ask("POST", "/api/login/token", body)
        except Unreachable as error:
            say(str(error))
            continue
        if "token" in answer:
            return answer
        pause = float(answer.get("interval", pause))
    raise Failure("The code was not typed in time. `errand login` begins again.")
