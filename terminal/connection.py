"""`errand check --github`: what the App lacks, where it is installed, and which of its deliveries failed."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from terminal.configured import finished
from terminal.failures import Failure, plain, say
from terminal.printing import facts

if TYPE_CHECKING:
    from bot.config import Config, GitHub
    from bot.github.client_review import ClientReview
    from bot.github.review import AppReview

_FAILED = 10
"""Failed deliveries that are listed."""


def check_github(config: "Config") -> None:
    """Print it; raises `Failure` where something is missing."""
    github = config.github
    if github is None or github.app_id is None or github.private_key is None:
        raise Failure("There is no App to ask: github has no app_id. `errand setup github` makes one.")
    from bot import clients
    from bot.github.client_review import review_client
    from bot.github.review import review

    seen = finished(review(github.api_url, github.app_id, github.private_key, time.time))
    client = clients.app_client(config)
    login = None if client is None else finished(review_client(client, time.time))
    facts([*_facts(seen), ("people log in", _entrance(login))])
    teams = finished(_lacking_teams(config))
    problems = [*_problems(config, github, seen), *_of_client(github, seen, login), *teams]
    for problem in problems:
        say(plain(problem))
    if problems:
        raise Failure("The App is not all that this app.yaml needs.")


async def _lacking_teams(config: "Config") -> list[str]:
    """What has to be mended in rules that name teams."""
    from bot import clients
    from bot.config.github_app import teams_of

    async def nothing(name: str) -> None:
        return None

    github = clients.github(config, time.time, nothing)
    if github is None:
        return []
    try:
        lacking = [
            each
            for each in teams_of(config)
            if await github.organizations.has_team(each.name, each.team or "") is not True
        ]
    finally:
        await github.close()
    return [
        f"There is no team {each.team} in {each.name} that Errand can see: rules that name it let nobody in."
        for each in lacking
    ]


def _facts(seen: "AppReview") -> Iterator[tuple[str, str]]:
    from bot.text import vocabulary

    accounts = ", ".join(
        each.account + (" (suspended)" if each.suspended else "") for each in seen.installations
    )
    yield "App", plain(seen.slug)
    yield "installed on", plain(accounts) or "nothing yet"
    yield "deliveries to", plain(seen.hook) or "nowhere"
    if seen.deliveries:
        last = seen.deliveries[0]
        yield (
            "the last",
            f"{plain(last.event)}, {vocabulary.ago(last.sent_at, time.time())}: {_answered(last.status)}",
        )
        arrived = sum(each.arrived for each in seen.deliveries)
        yield "arrived", f"{arrived} of the last {len(seen.deliveries)}"
    else:
        yield "the last", "GitHub has delivered nothing in the last days"


def _problems(config: "Config", github: "GitHub", seen: "AppReview") -> Iterator[str]:
    """What has to be mended, a sentence each."""
    from bot.config.github_app import HOOK, needs
    from bot.text import vocabulary

    needed = needs(config)
    for lack in needed.beyond(seen.permissions, seen.events):
        yield f"The App lacks {lack}: add it under Permissions & events."
    accounts = {each.account.casefold(): each for each in seen.installations}
    for owner in sorted({name.partition("/")[0].casefold() for name in github.repositories}):
        installed = accounts.get(owner)
        if installed is None and "*" not in owner:
            yield f"It is not installed on {owner}."
        elif installed is not None and installed.suspended:
            yield f"It is suspended on {owner}."
        elif installed is not None and not list(needed.beyond(seen.permissions, seen.events)):
            for lack in needed.beyond(installed.permissions, installed.events):
                yield f"{owner} has not agreed yet to {lack}."
    if github.poll is not None:
        return  # deliveries are fetched, whether they arrive or not
    if seen.hook != config.url + HOOK:
        yield f"Its deliveries go to {seen.hook or 'nowhere'}, and this Errand is at {config.url + HOOK}."
    arrived = {each.guid for each in seen.deliveries if each.arrived}
    failed = {each.guid: each for each in reversed(seen.deliveries) if each.guid not in arrived}
    for each in list(failed.values())[-_FAILED:]:
        moment = vocabulary.moment(each.sent_at)
        yield f"Delivery {each.guid} ({each.event}, {moment}) did not arrive: {_answered(each.status)}."


def _entrance(login: "ClientReview | None") -> str:
    """How people log in, as far as GitHub is concerned."""
    if login is None:
        return "with API tokens only: github.client_id is not set"
    if not login.is_known:
        return "not with GitHub, as things are"
    if not login.has_devices:
        return "on pages; not with `errand login`: Enable Device Flow is off in the App's settings"
    return "on pages, and with `errand login`"


def _of_client(github: "GitHub", seen: "AppReview", login: "ClientReview | None") -> Iterator[str]:
    """What has to be mended for people to log in."""
    if login is None:
        return
    if seen.client_id is not None and seen.client_id != github.client_id:
        yield f"github.client_id is not this App's, which is {seen.client_id}."
    elif not login.is_known:
        yield "GitHub does not take github.client_id with github.client_secret; its page makes new secrets."


def _answered(status: int) -> str:
    return f"answered with {status}" if status else "no answer"
