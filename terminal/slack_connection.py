"""`errand check --slack`: what the app lacks, where the bot is not, and who is not there."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from terminal.configured import finished
from terminal.failures import Failure, plain, say
from terminal.printing import facts

if TYPE_CHECKING:
    from bot.config import Config
    from bot.slack.review import Questions, SlackReview

_SKEW = 60.0
"""Seconds by which clocks may differ: Slack's requests are refused from five minutes on."""


def check_slack(config: "Config") -> None:
    """Print it; raises `Failure` where something is missing."""
    slack = config.slack
    if slack is None:
        raise Failure(
            "There is no app to ask: app.yaml has no section slack. `errand setup slack` makes one."
        )
    from bot.slack.review import review

    tokens = (slack.bot_token, slack.app_token)
    seen = finished(review(slack.api_url, tokens, _questions(config), time.time))
    facts(list(_facts(config, seen)))
    problems = [*_of_app(config, seen), *_of_channels(config, seen), *_of_people(config, seen)]
    for problem in problems:
        say(plain(problem))
    for remark in (*_superfluous(config, seen), *_lesser(config, seen)):
        say(plain(remark))
    if problems:
        raise Failure("The app is not all that this app.yaml needs.")


def _questions(config: "Config") -> "Questions":
    from bot.slack.review import Questions

    notified = [job.notify for job in config.jobs.values()]
    # A direct message (D…) has the bot in it, and Slack shows it with one more scope only.
    channels = dict.fromkeys(each.slack for each in notified if each.slack and each.slack[0] != "D")
    named = [who for each in notified for who in each.who] + [each.text for each in config.named]
    called = dict.fromkeys(who.removeprefix("slack:") for who in named if who.startswith("slack:"))
    return Questions(
        channels=tuple(channels),
        people=tuple({**(config.slack.people if config.slack else {}), **_only(called, "U", "W")}),
        groups=tuple(who.removeprefix("@") for who in _only(called, "@", "S")),
    )


def _only(called: Mapping[str, None], *starts: str) -> dict[str, None]:
    return {who: None for who in called if who.startswith(starts)}


def _facts(config: "Config", seen: "SlackReview") -> Iterator[tuple[str, str]]:
    from bot.config import slack_app
    from bot.slack.review import Absent

    yield "workspace", seen.bot.team
    yield "bot", f"@{seen.bot.name}"
    is_socket = config.slack is not None and config.slack.app_token is not None
    yield "hears by", "Socket Mode" if is_socket else config.url + slack_app.DOOR
    yield "scopes", ", ".join(sorted(seen.bot.scopes)) or "none"
    channels = [each for each in seen.channels.values() if not isinstance(each, Absent) and each.is_member]
    if seen.channels:
        yield "is in", f"{len(channels)} of the {len(seen.channels)} channels that app.yaml names"
    people = [each for each in seen.people.values() if not isinstance(each, Absent)]
    if seen.people:
        yield "knows", f"{len(people)} of the {len(seen.people)} people that app.yaml names"


def _of_app(config: "Config", seen: "SlackReview") -> Iterator[str]:
    """What is wrong with the app and its tokens, a sentence each."""
    from bot.config import slack_app

    for scope in slack_app.scopes(config):
        if scope.name not in seen.bot.scopes:
            yield (
                f"The app lacks the scope {scope.name} ({scope.reason}):"
                " put what `errand manifest slack` prints under App Manifest, and install the app again."
            )
    if seen.app is not None:
        yield f"Socket Mode does not work: {seen.app.advice}."
    elif config.slack is not None and config.slack.app_token is None:
        if not config.slack.signing_secret:
            yield "There is neither slack.signing_secret nor slack.app_token, so nothing of Slack's is taken."
        elif not slack_app.reaches(config):
            yield (
                f"Slack does not reach {config.url}: url has to be an https address that the world knows,"
                " or Socket Mode is used: slack.app_token."
            )
    if seen.bot.ahead is not None and abs(seen.bot.ahead) > _SKEW:
        way = "behind" if seen.bot.ahead > 0 else "ahead of"
        yield (
            f"This machine's clock is {abs(seen.bot.ahead):.0f} seconds {way} Slack's, and what seems five"
            " minutes old is refused: set it, by NTP."
        )


def _of_channels(config: "Config", seen: "SlackReview") -> Iterator[str]:
    """Where the bot cannot say how jobs end."""
    from bot.slack.review import Absent

    jobs: dict[str, list[str]] = {}
    for name, job in config.jobs.items():
        jobs.setdefault(job.notify.slack or "", []).append(name)
    for name, channel in seen.channels.items():
        of = f"(job {', '.join(jobs[name][:3])}{' …' if len(jobs[name]) > 3 else ''})"
        if isinstance(channel, Absent):
            if channel.error != "missing_scope":
                yield f"{name} {of}: {channel.advice}."
        elif channel.is_archived:
            yield f"{name} {of} is archived: unarchive it, or name another one in notify.slack."
        elif not channel.is_member:
            yield f"{name} {of}: the bot is not in it; type /invite @{seen.bot.name} there."


def _of_people(config: "Config", seen: "SlackReview") -> Iterator[str]:
    """Who is named and is not there."""
    from bot.slack.review import Absent

    for user, person in seen.people.items():
        listed = config.slack is not None and user in config.slack.people
        place = "slack.people" if listed else _place(config, f"slack:{user}")
        if isinstance(person, Absent):
            if person.error != "missing_scope":
                yield f"{place}: the workspace knows no {user}: copy the member ID from the profile."
        elif person.is_deleted:
            yield f"{place}: {user} ({person.name}) is deactivated: take the line out."
    for name, group in seen.groups.items():
        if isinstance(group, Absent) and group.error != "missing_scope":
            place = _place(config, f"slack:@{name}")
            yield f"{place}: the workspace has no user group {name} that is in use: check its handle."


def _place(config: "Config", who: str) -> str:
    """Where the file names somebody: for a mention, or in a rule."""
    called = any(who in job.notify.who for job in config.jobs.values())
    return "notify.who" if called else "allow, deny or people"


def _superfluous(config: "Config", seen: "SlackReview") -> Iterator[str]:
    """What nothing here uses: scopes, or the whole app where nobody may ask and nothing is told."""
    from bot.config import slack_app

    ruled = any(each.text.startswith("slack:") for each in config.named)
    if config.slack and not (config.slack.people or config.slack.email_domains or ruled):
        yield "Nobody of Slack is known, so nobody can ask for anything there: slack.people says who is who."
    needed = {scope.name for scope in slack_app.scopes(config)}
    for name in sorted(seen.bot.scopes - needed):
        yield f"The app has the scope {name}, which this app.yaml does not need."


def _lesser(config: "Config", seen: "SlackReview") -> Iterator[str]:
    """Who has a right by being listed that nobody else like them has: it may be meant so."""
    from bot.access.people import IN_WORDS
    from bot.slack.people import membership
    from bot.slack.review import Absent

    for user, login in (config.slack.people if config.slack else {}).items():
        person = seen.people.get(user)
        if person is None or isinstance(person, Absent) or person.is_deleted:
            continue
        words = IN_WORDS.get(membership(person, seen.bot.home))
        if words is not None:
            yield f"slack.people: {user} ({person.name}, {words}) has the rights of {login}."
