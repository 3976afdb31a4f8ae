"""Who may what, as every door would decide it for one person.

`errand check --who` of the file's jobs, asking nobody but GitHub and Slack; `errand who` of all jobs.
"""

import secrets
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal import printing
from terminal.configured import finished
from terminal.failures import Failure, Usage
from terminal.speech import spoken
from terminal.words import Json, connected

if TYPE_CHECKING:
    from bot.config import Config
    from bot.handlers.who_table import WhoRow

MOST = 10_000
"""Jobs of one table."""
_COLUMNS = ("job", "may run it", "by, or why not")
_WORDS = {True: "yes", False: "no", None: "not known"}
_STYLES = {"yes": "green", "no": "red", "not known": "yellow"}


def add_to(cli: typer.Typer) -> None:
    """Put the command there."""
    cli.command()(who)


def who(
    person: Annotated[
        str, typer.Argument(metavar="LOGIN", help="An account of GitHub, or slack:U012AB3CD for a member.")
    ],
    json: Json = False,
) -> None:
    """Which jobs somebody may run, and by which entry of a rule, or why not; for admins."""
    rows = list(connected().pages("/api/who", "jobs", {"login": person}, MOST))
    if json:
        for each in rows:
            printing.document(each)
        return
    _print(
        (str(row["job"]), row["may"], str((row["by"] if row["may"] else row["why"]) or "")) for row in rows
    )


def check_who(config: "Config", person: str) -> None:
    """Print what the file's jobs say; `Failure` where of some job it cannot be known now."""
    from bot.handlers.who_table import asking

    try:
        asking(person)
    except ValueError as error:
        raise Usage(f"--who: {error}.") from None
    print(f"\nWhat {person} may, of the jobs of this file:")
    rows = finished(_rows(config, person))
    _print((row.job, row.may, row.by if row.may else row.why) for row in rows)


def _print(rows: Iterable[tuple[str, bool | None, str]]) -> None:
    answers = list(rows)
    cells = [(job, _WORDS[may], spoken(why)) for job, may, why in answers]
    printing.table(_COLUMNS, cells, "There are no jobs.", styles=_STYLES)
    if any(may is None for _, may, _ in answers):
        raise Failure("Of some jobs it is not known now, and nobody may run those until it is.")


async def _rows(config: "Config", person: str) -> list["WhoRow"]:
    """Asks with the configuration's own GitHub and Slack, and a database that is empty."""
    from bot import clients
    from bot.handlers.authorization import Authorization
    from bot.handlers.facts import FactFinder
    from bot.handlers.slack.identities import SlackIdentities
    from bot.handlers.visibility import Visibility
    from bot.handlers.who_table import WhoTable, asking
    from bot.registry import Registry
    from bot.repositories import CodeHost, Repositories
    from bot.slack.directory import SlackGroups, SlackPeople
    from bot.store import Store

    with tempfile.TemporaryDirectory(prefix="errand-who-") as home:
        async with await Store.open(f"sqlite:///{Path(home)}/errand.db", owner="who") as store:
            registry = Registry(config, store, time.time)
            repositories = Repositories(store, registry, time.time)
            github = clients.github(config, time.time, repositories.known)
            slack = clients.slack(config, time.time)
            try:
                known = (
                    None if slack is None else (SlackGroups(slack, time.time), SlackPeople(slack, time.time))
                )
                groups, people = known or (None, None)
                facts = FactFinder(CodeHost(github, repositories), groups, time.time)
                authorization = Authorization(registry, facts, lambda: secrets.token_hex(8))
                identities = SlackIdentities(registry, people, None if github is None else github.emails)
                table = WhoTable(authorization, Visibility(registry, authorization, facts), identities)
                return await table.rows(await table.person(asking(person)), config.jobs.values())
            finally:
                for client in (github, slack):
                    if client is not None:
                        await client.close()
