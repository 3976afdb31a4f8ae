"""`errand check --who`: a table of who may what, as every door would decide it for one person."""

import secrets
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from terminal.configured import finished
from terminal.failures import Failure, Usage, say

if TYPE_CHECKING:
    from bot.config import Config
    from bot.github import GitHub
    from bot.handlers.authorization import RequestContext
    from bot.handlers.who_table import WhoRow
    from bot.registry import Registry
    from bot.slack.directory import SlackPeople


def check_who(config: "Config", who: str) -> None:
    """Print it; `Failure` where of some job it cannot be known now."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = finished(_rows(config, _named(who)))
    table = Table("job", "may run it", "by, or why not", title=f"What {who} may", title_justify="left")
    for row in rows:
        word, style = {True: ("yes", "green"), False: ("no", "red"), None: ("not known", "yellow")}[row.may]
        table.add_row(Text(row.job), Text(word, style=style), Text(row.by if row.may else row.why))
    Console().print(table)
    if any(row.may is None for row in rows):
        raise Failure("Of some jobs it is not known now, and nobody may run those until it is.")
    if not rows:
        say("app.yaml defines no jobs.")


def _named(who: str) -> "RequestContext":
    """Somebody on a page, or in Slack by their id: where no repository is asked from."""
    from bot.access.people import is_member_id
    from bot.access.principals import Kind, member
    from bot.handlers.authorization import RequestContext
    from bot.handlers.places import PagePlace
    from bot.states import ActorKind, Cause

    kind, sign, name = who.partition(":")
    if kind == ActorKind.SLACK and is_member_id(name):
        users = frozenset([name])
        return RequestContext(f"who:{who}", Cause.SLACK, who, None, PagePlace(), users=users)
    login = name if sign and kind == ActorKind.GITHUB else who
    try:
        fits = member(ActorKind.GITHUB.named(login)).kind is Kind.LOGIN
    except ValueError:
        fits = False
    if not fits:
        raise Usage("--who: expected the login of an account of GitHub, or slack:U012AB3CD.")
    return RequestContext(f"who:{login}", Cause.PAGE, ActorKind.GITHUB.named(login), login, PagePlace())


async def _rows(config: "Config", context: "RequestContext") -> list["WhoRow"]:
    """Asks with the configuration's own GitHub and Slack, and a database that is empty."""
    from bot import clients
    from bot.handlers.authorization import Authorization
    from bot.handlers.facts import FactFinder
    from bot.handlers.visibility import Visibility
    from bot.handlers.who_table import WhoTable
    from bot.registry import Registry
    from bot.repositories import CodeHost, Repositories
    from bot.slack.directory import SlackGroups, SlackPeople
    from bot.states import Cause
    from bot.store import Store

    with tempfile.TemporaryDirectory(prefix="errand-who-") as home:
        async with await Store.open(f"sqlite:///{Path(home)}/errand.db", owner="who") as store:
            registry = Registry(config, store, time.time)
            repositories = Repositories(store, registry, time.time)
            github = clients.github(config, time.time, repositories.known)
            slack = clients.slack(config, time.time)
            try:
                if slack is not None and context.cause is Cause.SLACK:
                    context = await _in_slack(context, registry, SlackPeople(slack, time.time), github)
                groups = None if slack is None else SlackGroups(slack, time.time)
                facts = FactFinder(CodeHost(github, repositories), groups, time.time)
                authorization = Authorization(registry, facts, lambda: secrets.token_hex(8))
                table = WhoTable(authorization, Visibility(registry, authorization, facts))
                return await table.rows(context, config.jobs.values())
            finally:
                for client in (github, slack):
                    if client is not None:
                        await client.close()


async def _in_slack(
    context: "RequestContext", registry: "Registry", people: "SlackPeople", github: "GitHub | None"
) -> "RequestContext":
    """The same as Slack and `slack.people` know them: an account of GitHub, a member, a guest."""
    from bot.events.slack_facts import SlackAsker
    from bot.handlers.slack.identities import SlackIdentities

    (user,) = context.users
    emails = None if github is None else github.emails
    found = await SlackIdentities(registry, people, emails).of(SlackAsker(user))
    return replace(context, login=found.login, membership=found.membership)
