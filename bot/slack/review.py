"""What Slack says of the app itself: what its tokens may do, and where it is.

https://docs.slack.dev/reference/methods/auth.test says what a token is, and in a header what it may do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from bot.errors import Refused, RetryLater
from bot.slack.calls import Calls
from bot.slack.faults import Call, Untold
from bot.slack.people import Channel, Group, Home, Person, channel_of, group_of, person_of
from executor.spec import Secret

T = TypeVar("T")

_GENERATE = "generate one under Basic Information, App-Level Tokens, with the scope connections:write"
_OF_APP_TOKENS: Mapping[object, str] = {
    "invalid_auth": "Slack does not know the app token",
    "not_allowed_token_type": "that is no app token",
    "missing_scope": "the app token lacks the scope connections:write",
    "token_revoked": "the app token was revoked",
}

_NONE = "Slack shows Errand no channel {}: check its name, and if it is private, /invite the bot there"

ATTEMPTS = 3
PAGE = 1000
PAGES = 20
"""Of the list of channels; more than so many thousand are not looked through."""


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot token: whose it is, what it may do, and by how many seconds Slack's clock is ahead of ours."""

    team: str
    home: Home
    name: str
    scopes: frozenset[str]
    ahead: float | None


@dataclass(frozen=True, slots=True)
class Absent:
    """What Slack did not show: its name for why, and in words what to do."""

    error: str
    advice: str


@dataclass(frozen=True, slots=True)
class Questions:
    """What Slack is asked: channels by id or as `#ops`, people by id, user groups by id or handle."""

    channels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlackReview:
    """The app as Slack has it. `app` is why the app token does not work, if there is one that does not."""

    bot: Bot
    app: Absent | None
    channels: Mapping[str, Channel | Absent]
    people: Mapping[str, Person | Absent]
    groups: Mapping[str, Group | Absent]


async def bot_of(api_url: str, token: Secret, clock: Callable[[], float]) -> Bot:
    """Whose bot token it is; raises `Refused` where it is none, `RetryLater` where Slack does not answer."""
    async with _calls(api_url, token, clock) as calls:
        return await _bot(calls, clock)


async def connects(api_url: str, app_token: Secret, clock: Callable[[], float]) -> None:
    """Whether an app token opens connections; raises as `bot_of` does.

    The address that Slack gives is not used. https://docs.slack.dev/reference/methods/apps.connections.open
    """
    async with _calls(api_url, app_token, clock, "slack.app_token") as calls:
        try:
            await calls.write(Call("apps.connections.open"))
        except Refused as refused:
            if refused.status not in _OF_APP_TOKENS:
                raise
            raise Refused(f"{_OF_APP_TOKENS[refused.status]}: {_GENERATE}", status=refused.status) from None


async def review(
    api_url: str,
    tokens: tuple[Secret, Secret | None],
    questions: Questions,
    clock: Callable[[], float],
) -> SlackReview:
    """Ask with the bot's and the app's token; raises as `bot_of` does."""
    bot_token, app_token = tokens
    async with _calls(api_url, bot_token, clock) as calls:
        bot = await _bot(calls, clock)
        app = await _answer(lambda: connects(api_url, app_token, clock)) if app_token else None
        return SlackReview(
            bot=bot,
            app=app if isinstance(app, Absent) else None,
            channels=await _channels(calls, questions.channels),
            people={
                user: await _answer(partial(_person, calls, user, bot.home)) for user in questions.people
            },
            groups=await _groups(calls, questions.groups),
        )


@asynccontextmanager
async def _calls(
    api_url: str, token: Secret, clock: Callable[[], float], setting: str = "slack.bot_token"
) -> AsyncIterator[Calls]:
    """Connections for as long as is asked; `RetryLater` says where nothing answered."""
    calls = Calls(api_url=api_url, token=token, faults=Untold(setting), clock=clock)
    try:
        yield calls
    except RetryLater as error:
        raise RetryLater(f"{api_url} gave no answer of Slack's: {error}", delay=error.delay) from None
    finally:
        await calls.close()


async def _bot(calls: Calls, clock: Callable[[], float]) -> Bot:
    before = clock()
    token = await calls.token()
    about, now = token.about, (before + clock()) / 2
    return Bot(
        team=_text(about, "team"),
        home=Home(_text(about, "team_id"), _text(about, "enterprise_id")),
        name=_text(about, "user"),
        scopes=token.scopes,
        ahead=None if token.sent_at is None else token.sent_at - now,
    )


async def _answer(ask: Callable[[], Awaitable[T]]) -> T | Absent:
    """What Slack says, also where it has to be asked again because it limits how often."""
    attempts = ATTEMPTS
    while True:
        attempts -= 1
        try:
            return await ask()
        except Refused as refused:
            return Absent(str(refused.status), str(refused))
        except RetryLater as limited:
            if limited.delay is None or not attempts:
                raise
            await asyncio.sleep(limited.delay)


async def _person(calls: Calls, user: str, home: Home) -> Person:
    answer = await calls.read(Call("users.info"), user=user)
    return person_of(_object(answer.get("user")), home)


async def _channels(calls: Calls, names: tuple[str, ...]) -> dict[str, Channel | Absent]:
    """One list shows nearly all of them; what it does not show is asked for alone, where it is an id."""
    if not names:
        return {}
    listed = await _answer(lambda: _listed(calls, frozenset(name.removeprefix("#") for name in names)))
    if isinstance(listed, Absent):
        return dict.fromkeys(names, listed)
    seen: dict[str, Channel | Absent] = {}
    for name in names:
        known = listed.get(name.removeprefix("#"))
        if known is not None:
            seen[name] = known
        elif name.startswith("#"):
            seen[name] = Absent("channel_not_found", _NONE.format(name))
        else:
            seen[name] = await _answer(partial(_channel, calls, name))
    return seen


async def _listed(calls: Calls, keys: frozenset[str]) -> dict[str, Channel]:
    """These channels by name and by id; of two with one name the one that is not archived."""
    found: dict[str, Channel] = {}
    cursor: str | None = None
    for _ in range(PAGES):
        answer = await calls.read(
            Call("conversations.list"), types="public_channel,private_channel", limit=PAGE, cursor=cursor
        )
        for each in map(channel_of, map(_object, _list(answer, "channels"))):
            for key in keys & {each.id, each.name}:
                if key not in found or not each.is_archived:
                    found[key] = each
        cursor = _text(_object(answer.get("response_metadata")), "next_cursor")
        if not cursor or len(found) == len(keys):
            break
    return found


async def _channel(calls: Calls, id: str) -> Channel:
    answer = await calls.read(Call("conversations.info", id), channel=id)
    return channel_of(_object(answer.get("channel")))


async def _groups(calls: Calls, names: tuple[str, ...]) -> dict[str, Group | Absent]:
    if not names:
        return {}
    answer = await _answer(lambda: calls.read(Call("usergroups.list")))
    if isinstance(answer, Absent):
        return dict.fromkeys(names, answer)
    known = [group_of(_object(each)) for each in _list(answer, "usergroups")]
    used = {name: group for group in known if not group.is_disabled for name in (group.id, group.handle)}
    return {name: used.get(name, Absent("no_such_subteam", "")) for name in names}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    return value if isinstance(value, list) else []


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
