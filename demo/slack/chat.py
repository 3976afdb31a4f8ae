"""`chat.*` and what reads messages. https://docs.slack.dev/reference/methods?family=chat"""

from typing import Any

from demo.slack.calls import Method
from demo.slack.content import flag_of, message_content, metadata_of, number_of, page_of
from demo.slack.errors import SlackError
from demo.slack.shapes import message_shape
from demo.slack.workspace import Channel, Ephemeral, Json, Message, Workspace

WRITE = ("chat:write",)


class Chat:
    """Posts, edits and shows messages; `scopes` are those that the bot has now."""

    def __init__(self, workspace: Workspace, scopes: set[str]) -> None:
        self._in = workspace
        self._scopes = scopes
        self.methods = {
            "chat.postMessage": Method(self._post, WRITE),
            "chat.update": Method(self._update, WRITE),
            "chat.delete": Method(self._delete, WRITE),
            "chat.postEphemeral": Method(self._post_ephemeral, WRITE),
            "chat.getPermalink": Method(self._permalink),
            "chat.unfurl": Method(self._unfurl, ("links:write",)),
            "conversations.history": Method(self._history, ("channels:history", "groups:history")),
            "conversations.replies": Method(self._replies, ("channels:history", "groups:history")),
        }

    def _post(self, arguments: Json) -> Json:
        channel = self._writable(arguments, public=True)
        text, blocks = message_content(arguments, self._in.refused_blocks)
        message = Message(
            channel.id,
            self._in.stamp(),
            self._in.bot_id,
            metadata_of(arguments),
            [(text, blocks)],
            thread_ts=self._thread(channel, arguments),
            broadcast=flag_of(arguments, "reply_broadcast"),
        )
        self._in.messages.append(message)
        return {"channel": channel.id, "ts": message.ts, "message": message_shape(self._in, message)}

    def _update(self, arguments: Json) -> Json:
        """Blocks that the call does not name stay. An archived channel has an error of its own here."""
        channel = self._writable(arguments, by_name=False, archived="is_inactive")
        message = self._own(channel, arguments.get("ts"), "cant_update_message")
        text, blocks = message_content(arguments, self._in.refused_blocks)
        message.history.append((text, blocks if arguments.get("blocks") is not None else message.blocks))
        metadata = metadata_of(arguments)
        message.metadata = metadata if metadata is not None else message.metadata
        shape = message_shape(self._in, message)
        return {"channel": channel.id, "ts": message.ts, "text": text, "message": shape}

    def _delete(self, arguments: Json) -> Json:
        channel = self._writable(arguments, by_name=False)
        message = self._own(channel, arguments.get("ts"), "cant_delete_message")
        self._in.messages.remove(message)
        return {"channel": channel.id, "ts": message.ts}

    def _post_ephemeral(self, arguments: Json) -> Json:
        channel = self._writable(arguments)
        user = arguments.get("user")
        if not isinstance(user, str) or not user:
            raise SlackError("invalid_arguments")
        if not self._in.member_of(channel, user):
            raise SlackError("user_not_in_channel")
        text, blocks = message_content(arguments, self._in.refused_blocks)
        message = Ephemeral(channel.id, user, text, blocks, "ephemeral", self._in.stamp())
        message.thread_ts = self._thread(channel, arguments)
        self._in.ephemerals.append(message)
        return {"message_ts": message.ts}

    def _permalink(self, arguments: Json) -> Json:
        channel = self._in.channel(arguments.get("channel"))
        message = self._in.message(channel.id, arguments.get("message_ts"))
        return {"channel": channel.id, "permalink": self.permalink(message)}

    def permalink(self, message: Message) -> str:
        """Where a person reads a message."""
        stem = f"{self._in.url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
        return f"{stem}?thread_ts={message.thread_ts}&cid={message.channel}" if message.thread_ts else stem

    def _unfurl(self, arguments: Json) -> Json:
        """The message need not be in a channel that the bot is in: it shared a link to the app's domain."""
        unfurls = arguments.get("unfurls")
        channel = next((each for each in self._in.channels if each.id == arguments.get("channel")), None)
        if not arguments.get("channel"):
            raise SlackError("missing_channel")
        if channel is None:
            raise SlackError("cannot_find_channel")
        if not isinstance(unfurls, dict) or not unfurls:
            raise SlackError("missing_unfurls")
        try:
            message = self._in.message(channel.id, arguments.get("ts"))
        except SlackError:
            raise SlackError("cannot_find_message") from None
        for address, unfurl in unfurls.items():
            if address not in message.text:
                raise SlackError("cannot_unfurl_message")
            if not isinstance(unfurl, dict) or not unfurl.get("blocks"):
                raise SlackError("invalid_unfurls_format")
            message_content(unfurl, self._in.refused_blocks)
        message.unfurls |= unfurls
        return {}

    def _history(self, arguments: Json) -> Json:
        channel = self._readable(arguments)
        oldest, latest = number_of(arguments, "oldest", 0.0), number_of(arguments, "latest", float("inf"))
        messages = [
            message
            for message in reversed(self._in.messages)
            if message.channel == channel.id and oldest < float(message.ts) < latest
            if message.thread_ts in (None, message.ts) or message.broadcast
        ]
        return self._page(messages, arguments)

    def _replies(self, arguments: Json) -> Json:
        channel = self._readable(arguments)
        root = next((each for each in self._of(channel) if each.ts == arguments.get("ts")), None)
        if root is None:
            raise SlackError("thread_not_found")
        answers = [each for each in self._of(channel) if each.thread_ts == root.ts and each is not root]
        return self._page([root, *answers], arguments)

    def _page(self, messages: list[Message], arguments: Json) -> Json:
        metadata = flag_of(arguments, "include_all_metadata")
        page, cursor = page_of(messages, arguments)
        return {
            "messages": [message_shape(self._in, each, metadata=metadata) for each in page],
            "has_more": bool(cursor),
            "response_metadata": {"next_cursor": cursor},
        }

    def _of(self, channel: Channel) -> list[Message]:
        return [each for each in self._in.messages if each.channel == channel.id]

    def _readable(self, arguments: Json) -> Channel:
        channel = self._in.channel(arguments.get("channel"))
        needed = "groups:history" if channel.private else "channels:history"
        if needed not in self._scopes:
            raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(self._scopes)))
        if not channel.member:
            raise SlackError("not_in_channel")
        return channel

    def _writable(
        self, arguments: Json, *, by_name: bool = True, public: bool = False, archived: str = "is_archived"
    ) -> Channel:
        channel = self._in.channel(arguments.get("channel"), by_name=by_name)
        if channel.archived:
            raise SlackError(archived)
        uninvited = public and not channel.private and "chat:write.public" in self._scopes
        if not channel.member and not uninvited:
            raise SlackError("not_in_channel")
        return channel

    def _own(self, channel: Channel, ts: Any, otherwise: str) -> Message:
        message = self._in.message(channel.id, ts)
        if message.bot_id != self._in.bot_id:
            raise SlackError(otherwise)
        return message

    def _thread(self, channel: Channel, arguments: Json) -> str | None:
        """The thread to answer in: a message's `ts`; Slack posts beside a thread that it does not know."""
        thread = arguments.get("thread_ts")
        if thread in (None, ""):
            return None
        root = next((each for each in self._of(channel) if each.ts == thread), None)
        if root is None:
            raise SlackError("thread_not_found")
        return root.thread_ts or root.ts
