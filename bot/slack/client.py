"""The one door to Slack's Web API, and to the response URLs of its commands.

What it does: posts, edits and finds messages, shows forms and Homes, asks who people are, and says whether a
failed call may be tried again (`RetryLater`) or not (`Refused`; `KnownFault` where the log has told already
what an operator has to mend). What it may not do: decide anything, or send a message twice.

Scopes of the bot, by what needs them:

- `chat:write`: `post`, `post_ephemeral`, `update`
- `channels:history` (`groups:history` for private channels): `find`, after a crash
- `channels:read` (`groups:read`): channels by their names, `channel`, `is_shared`
- `users:read`, and `users:read.email` for e-mail addresses: `person`
- `usergroups:read`: `groups`, `group_members`
- `links:write`: `unfurl`
- none: `open_view`, `update_view`, `publish_home`, `scopes`, `respond`

Methods: https://docs.slack.dev/reference/methods
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bot.errors import KnownFault, Refused, RetryLater
from bot.slack.answers import cursor_of, items, nonce_of, view_id
from bot.slack.channels import Channels
from bot.slack.faults import POST, Call, Faults
from bot.slack.people import Channel, Group, Home, Person, group_of, person_of
from executor.spec import Secret

if TYPE_CHECKING:
    pass

PAGE = 100
PAGES = 10  # of a channel's history, or of the list of channels
SINCE_SLACK = 60.0  # seconds by which Slack's clock and ours may differ
EVENT_TYPE = "errand_post"

Blocks = Sequence[Mapping[str, Any]] | None
View = Mapping[str, Any]


class Slack:
    """One workspace, as one bot. Channels are ids (`C012AB3CD`) or names (`#ops`)."""

    def __init__(self, *, api_url: str, bot_token: Secret, clock: Callable[[], float]) -> None:
        # Slack's SDK costs megabytes, which whoever has no Slack does not pay.
        from bot.slack.calls import Calls, delay_of
        from bot.slack.responses import ResponseUrls

        self._faults = Faults()
        self._calls: Calls = Calls(api_url=api_url, token=bot_token, faults=self._faults, clock=clock)
        self._responses: ResponseUrls = ResponseUrls(api_url, delay_of, clock)
        self._about: dict[str, Any] | None = None
        self._channels = Channels(self._calls)

    async def close(self) -> None:
        """Close all connections."""
        await self._calls.close()
        await self._responses.close()

    # Messages -------------------------------------------------------------------------------------

    async def post(
        self,
        channel: str,
        text: str,
        blocks: Blocks,
        nonce: str,
        thread: str | None = None,
        *,
        broadcast: bool = False,
    ) -> tuple[str, str]:
        """Post a message that `find` finds by its nonce; gives the channel's id and the message's `ts`.

        `thread` is the `ts` of the message below which it goes; `broadcast`: the channel shows it as well.
        https://docs.slack.dev/reference/methods/chat.postMessage
        """
        answer = await self._calls.write(
            self._channels.call(POST, channel),
            channel=channel,
            text=text,
            blocks=_plain(blocks),
            metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}},
            thread_ts=thread,
            reply_broadcast=broadcast or None,
            unfurl_links=False,
            unfurl_media=False,
        )
        posted, ts = answer.get("channel"), answer.get("ts")
        if not isinstance(posted, str) or not isinstance(ts, str):
            raise Refused("Slack's answer lacks the message", status="unexpected_answer")
        if channel.startswith("#"):
            self._channels.note(posted, channel[1:])
        return posted, ts

    async def post_ephemeral(
        self, channel: str, user: str, text: str, blocks: Blocks = None, thread: str | None = None
    ) -> None:
        """Say something that `user` alone sees, until they reload; it is never found or edited again.

        https://docs.slack.dev/reference/methods/chat.postEphemeral
        """
        await self._calls.write(
            self._channels.call("chat.postEphemeral", channel),
            channel=channel,
            user=user,
            text=text,
            blocks=_plain(blocks),
            thread_ts=thread,
        )

    async def update(self, channel: str, ts: str, text: str, blocks: Blocks) -> None:
        """Replace a message of ours, with text alone its blocks too. Its metadata, and so its nonce, stays.

        https://docs.slack.dev/reference/methods/chat.update
        """
        call = self._channels.call("chat.update", channel)
        await self._calls.write(call, channel=channel, ts=ts, text=text, blocks=_plain(blocks or []))

    async def find(
        self, channel: str, nonce: str, since: float, thread: str | None = None
    ) -> tuple[str, str] | None:
        """Channel id and `ts` of the message of ours with `nonce` that was posted after `since`, if any.

        `thread`: it is looked for below that message. Without the scope to look, the log says so once and
        nothing is found: after a crash in the wrong moment a message may then be there twice.
        """
        try:
            where = await self._channels.id_of(channel)
            if where is None:
                return None
            ts = await self._search(where, nonce, since, thread)
        except KnownFault as fault:
            if fault.status not in ("missing_scope", "not_in_channel", "channel_not_found"):
                raise
            return None
        return (where, ts) if ts is not None else None

    async def address(self, channel: str, ts: str, thread: str | None = None) -> str | None:
        """Where a message is read, perhaps below another one; None where Slack says no address of its own."""
        url = (await self._about_us()).get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            return None
        stem = f"{url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
        return stem if thread is None else f"{stem}?thread_ts={thread}&cid={channel}"

    async def respond(
        self,
        response_url: str,
        text: str,
        blocks: Blocks = None,
        *,
        replace_original: bool = False,
        in_channel: bool = False,
    ) -> None:
        """Answer a command or a button, seen only by who gave it unless `in_channel`.

        Slack takes five answers within 30 minutes. `replace_original`: the message with the button becomes
        this one, whoever sees it.
        """
        how: dict[str, Any] = {"replace_original": replace_original}
        if in_channel:
            how["response_type"] = "in_channel"
        await self._responses.answer(response_url, text, blocks, how)

    async def unfurl(
        self,
        channel: str,
        ts: str,
        unfurls: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Unfold the links of a message, by address a mapping with `blocks`.

        https://docs.slack.dev/reference/methods/chat.unfurl
        """
        await self._calls.write(
            self._channels.call("chat.unfurl", channel),
            channel=channel,
            ts=ts,
            unfurls={url: dict(each) for url, each in unfurls.items()},
        )

    # Forms and Homes ------------------------------------------------------------------------------

    async def open_view(self, trigger: str, view: View) -> str:
        """Show a form to whoever has just pressed or typed; gives its id. A trigger lasts three seconds.

        https://docs.slack.dev/reference/methods/views.open
        """
        answer = await self._calls.write(Call("views.open"), trigger_id=trigger, view=dict(view))
        return view_id(answer)

    async def update_view(self, id: str, view: View, hash: str | None = None) -> None:
        """Replace an open form; with `hash`, only if it is still the one that had it (`hash_conflict`).

        https://docs.slack.dev/reference/methods/views.update
        """
        await self._calls.write(Call("views.update"), view_id=id, view=dict(view), hash=hash)

    async def publish_home(self, user: str, view: View, hash: str | None = None) -> str:
        """Show a person's Home; gives its hash. With `hash`, only if it is still that one (`hash_conflict`).

        https://docs.slack.dev/reference/methods/views.publish
        """
        call = Call("views.publish", user)
        answer = await self._calls.write(call, user_id=user, view=dict(view), hash=hash)
        shown = answer.get("view")
        return str(shown.get("hash") or "") if isinstance(shown, Mapping) else ""

    # People and channels --------------------------------------------------------------------------

    async def home(self) -> Home:
        """Where the bot is installed; `RetryLater` where Slack does not say it.

        https://docs.slack.dev/reference/methods/auth.test
        """
        about = await self._about_us()
        team, enterprise = about.get("team_id"), about.get("enterprise_id")
        if not isinstance(team, str) or not team:
            raise RetryLater("Slack's answer lacks the workspace")
        return Home(team, enterprise if isinstance(enterprise, str) else "")

    async def person(self, user: str) -> Person:
        """Who a user is; `Refused` with the status `user_not_found` or `user_not_visible` for nobody.

        https://docs.slack.dev/reference/methods/users.info
        """
        home = await self.home()
        answer = await self._calls.read(Call("users.info"), user=user)
        found = answer.get("user")
        if not isinstance(found, Mapping):
            raise Refused("Slack's answer lacks the user", status="unexpected_answer")
        return person_of(found, home)

    async def groups(self) -> list[Group]:
        """The user groups of the workspace: https://docs.slack.dev/reference/methods/usergroups.list."""
        answer = await self._calls.read(Call("usergroups.list"))
        return [group_of(each) for each in items(answer, "usergroups") if isinstance(each, Mapping)]

    async def group_members(self, group: str) -> frozenset[str]:
        """The ids of who is in a user group; `Refused` with the status `no_such_subteam` for none.

        https://docs.slack.dev/reference/methods/usergroups.users.list
        """
        answer = await self._calls.read(Call("usergroups.users.list"), usergroup=group)
        return frozenset(each for each in items(answer, "users") if isinstance(each, str))

    async def channel(self, channel: str) -> Channel | None:
        """A channel, None where Slack shows the bot none of that name."""
        return await self._channels.about(channel)

    async def channel_name(self, channel: str) -> str | None:
        """The name of a channel with its `#`, asked once; None where Slack does not say it.

        A channel that is renamed meanwhile is called as before until Errand starts again.
        """
        try:
            return await self._channels.name_of(channel)
        except Refused:
            return None

    async def is_shared(self, channel: str) -> bool:
        """Whether another organisation reads the channel (Slack Connect), or is invited to.

        False where the bot lacks the scope to look, or Slack shows it no such channel.
        https://docs.slack.dev/apis/slack-connect
        """
        try:
            found = await self.channel(channel)
        except Refused:
            return False
        return found is not None and found.is_shared

    async def scopes(self) -> frozenset[str]:
        """What the bot token may do: https://docs.slack.dev/reference/methods/auth.test."""
        return (await self._calls.token()).scopes

    async def note_fault(self, error: str, channel: str | None = None) -> None:
        """Slack says by itself what it answers from now on; the log tells it as if it were met."""
        if channel is not None:
            with suppress(Refused, RetryLater):
                await self._channels.name_of(channel)  # by which people know it
        self._faults.note(error, self._channels.call(POST, channel or ""))

    async def _search(self, channel: str, nonce: str, since: float, thread: str | None) -> str | None:
        ours = await self._own_bot_id()
        method = "conversations.history" if thread is None else "conversations.replies"
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self._calls.read(
                self._channels.call(method, channel),
                channel=channel,
                ts=thread,
                include_all_metadata=True,
                oldest=f"{max(since - SINCE_SLACK, 0.0):.6f}",
                limit=PAGE,
                cursor=cursor,
            )
            for message in items(answer, "messages"):
                if nonce_of(message) == nonce and message.get("bot_id") == ours:
                    return str(message.get("ts"))
            cursor = cursor_of(answer)
            if cursor is None:
                break
        return None

    async def own_user(self) -> tuple[str, str] | None:
        """The member id by which Errand is mentioned, and its name; None where Slack does not say them."""
        about = await self._about_us()
        found, name = about.get("user_id"), about.get("user")
        return (found, name) if isinstance(found, str) and isinstance(name, str) else None

    async def _own_bot_id(self) -> str | None:
        found = (await self._about_us()).get("bot_id")
        return found if isinstance(found, str) else None

    async def _about_us(self) -> dict[str, Any]:
        """What Slack says of the token, asked once."""
        if self._about is None:
            self._about = await self._calls.read(Call("auth.test"))
        return self._about


def _plain(blocks: Blocks) -> list[dict[str, Any]] | None:
    return [dict(block) for block in blocks] if blocks is not None else None
