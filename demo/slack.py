"""A stand-in for Slack's Web API and for the response URLs of its commands.

Errors are Slack's own: a 200 with `ok` false, except for a rate limit. What Errand does not use is not
there. https://docs.slack.dev/apis/web-api and https://docs.slack.dev/reference/methods
"""

import itertools
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo.blocks import InvalidBlocks, check_blocks
from demo.watched import Watched

TEXT_CHARACTERS = 40_000
BLOCKS_CHARACTERS = 12_000  # of all blocks together; Slack documents no limit and has one hereabouts
METADATA_BYTES = 16_384
RESPONSES = 5
RESPONSE_SECONDS = 1800.0
PAGE = 100
SCOPES = frozenset(
    {"chat:write", "commands", "channels:history", "groups:history", "channels:read", "groups:read"}
)

Json = dict[str, Any]


@dataclass(slots=True)
class Channel:
    """A channel; `member`: the bot is in it; `private`: it does not exist for who is not."""

    id: str
    name: str
    member: bool = True
    private: bool = False
    archived: bool = False
    shared: bool = False
    """Another organisation is in it."""


@dataclass(slots=True)
class Message:
    """A message; `history` has every (text, blocks) it had, the current one last."""

    channel: str
    ts: str
    bot_id: str
    metadata: Json | None
    history: list[tuple[str, list[Json]]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The current text."""
        return self.history[-1][0]

    @property
    def blocks(self) -> list[Json]:
        """The current blocks."""
        return self.history[-1][1]


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """Something that one person was told, by `chat.postEphemeral` or through a response URL."""

    channel: str
    user: str
    text: str
    blocks: list[Json]
    response_type: str


@dataclass(slots=True)
class _ResponseUrl:
    channel: str
    user: str
    made_at: float
    left: int = RESPONSES


class _Error(Exception):
    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name)
        self.body = {"ok": False, "error": name, **more}


class SlackStandIn(Watched):
    """One workspace with one bot. `url` is where it listens (without `/api/`); `clock` is its time."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.url = "http://slack.invalid"
        self.token = "xoxb-" + secrets.token_hex(12)
        self.bot_id = "B0ERRAND"
        self.team_id = "T0ACME"
        self.scopes = set(SCOPES)
        self.channels: list[Channel] = []
        self.messages: list[Message] = []
        self.ephemerals: list[Ephemeral] = []
        self._clock = clock
        self._count = itertools.count(1)
        self._responses: dict[str, _ResponseUrl] = {}
        self._methods: dict[str, tuple[str | None, Callable[[Json], Json]]] = {
            "auth.test": (None, self._auth_test),
            "chat.postMessage": ("chat:write", self._post),
            "chat.update": ("chat:write", self._update),
            "chat.postEphemeral": ("chat:write", self._post_ephemeral),
            "conversations.history": ("channels:history", self._history),
            "conversations.list": ("channels:read", self._list),
            "conversations.info": ("channels:read", self._info),
        }
        routes = [
            Route("/api/{method}", self._call, methods=["GET", "POST"]),
            Route("/commands/{team}/{number}/{secret}", self._respond, methods=["POST"]),
        ]
        super().__init__(Starlette(routes=routes))

    def add_channel(
        self, name: str, *, member: bool = True, private: bool = False, archived: bool = False
    ) -> Channel:
        """A channel, by its name without `#`."""
        channel = Channel(f"C{next(self._count):08d}", name, member, private, archived)
        self.channels.append(channel)
        return channel

    def response_url(self, channel: str, user: str) -> str:
        """A URL that answers a command of `user` in `channel` five times within 30 minutes."""
        path = f"/commands/{self.team_id}/{next(self._count)}/{secrets.token_hex(12)}"
        self._responses[path] = _ResponseUrl(channel, user, self._clock())
        return self.url + path

    def limit(self, method: str, *, retry_after: int = 30, times: int = 1) -> None:
        """Answer the next calls of a method with 429."""
        headers = {"Retry-After": str(retry_after)}
        self.fail(
            f"/api/{method}$", 429, headers=headers, body={"ok": False, "error": "ratelimited"}, times=times
        )

    def say(self, method: str, error: str, *, times: int = 1) -> None:
        """Answer the next calls of a method with an error's name."""
        self.fail(f"/api/{method}$", 200, body={"ok": False, "error": error}, times=times)

    async def _call(self, request: Request) -> Response:
        try:
            arguments = await _arguments(request)
            self._authorize(request, arguments)
            scope, method = self._methods.get(request.path_params["method"], (None, None))
            if method is None:
                raise _Error("unknown_method", req_method=request.path_params["method"])
            if scope is not None and scope not in self.scopes:
                raise _Error("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))
            return JSONResponse({"ok": True, **method(arguments)})
        except _Error as error:
            return JSONResponse(error.body)

    def _authorize(self, request: Request, arguments: Json) -> None:
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ") if header else arguments.get("token")
        if not token:
            raise _Error("not_authed")
        if token != self.token:
            raise _Error("invalid_auth")

    def _auth_test(self, arguments: Json) -> Json:
        return {
            "url": f"{self.url}/",
            "team": "Acme",
            "user": "errand",
            "team_id": self.team_id,
            "user_id": "U0ERRAND",
            "bot_id": self.bot_id,
            "is_enterprise_install": False,
        }

    def _post(self, arguments: Json) -> Json:
        channel = self._open_channel(arguments, by_name=True)
        text, blocks = _content(arguments)
        message = Message(channel.id, self._ts(), self.bot_id, _metadata(arguments), [(text, blocks)])
        self.messages.append(message)
        return {"channel": channel.id, "ts": message.ts, "message": self._shown(message, metadata=False)}

    def _update(self, arguments: Json) -> Json:
        channel = self._open_channel(arguments, by_name=False)
        message = self._message(channel, arguments.get("ts"))
        if message.bot_id != self.bot_id:
            raise _Error("cant_update_message")
        text, blocks = _content(arguments)
        message.history.append((text, blocks))
        metadata = _metadata(arguments)
        message.metadata = metadata if metadata is not None else message.metadata
        shown = self._shown(message, metadata=False)
        return {"channel": channel.id, "ts": message.ts, "text": text, "message": shown}

    def _post_ephemeral(self, arguments: Json) -> Json:
        channel = self._open_channel(arguments, by_name=True)
        user = arguments.get("user")
        if not isinstance(user, str) or not user:
            raise _Error("invalid_arguments")
        text, blocks = _content(arguments)
        self.ephemerals.append(Ephemeral(channel.id, user, text, blocks, "ephemeral"))
        return {"message_ts": self._ts()}

    def _history(self, arguments: Json) -> Json:
        channel = self._channel(arguments, by_name=False)
        if not channel.member:
            raise _Error("not_in_channel")
        oldest, latest = _number(arguments, "oldest", 0.0), _number(arguments, "latest", float("inf"))
        found = [
            message
            for message in reversed(self.messages)
            if message.channel == channel.id and oldest < float(message.ts) < latest
        ]
        with_metadata = str(arguments.get("include_all_metadata", "")).lower() in ("true", "1")
        page, cursor = _page(found, arguments)
        return {
            "messages": [self._shown(each, metadata=with_metadata) for each in page],
            "has_more": bool(cursor),
            "response_metadata": {"next_cursor": cursor},
        }

    def _list(self, arguments: Json) -> Json:
        seen = [each for each in self.channels if each.member or not each.private]
        if str(arguments.get("exclude_archived", "")).lower() in ("true", "1"):
            seen = [each for each in seen if not each.archived]
        page, cursor = _page(seen, arguments)
        channels = [
            {"id": each.id, "name": each.name, "is_member": each.member, "is_private": each.private}
            for each in page
        ]
        return {"channels": channels, "response_metadata": {"next_cursor": cursor}}

    def _info(self, arguments: Json) -> Json:
        channel = self._channel(arguments, by_name=False)
        if channel.private and "groups:read" not in self.scopes:
            raise _Error("missing_scope", needed="groups:read", provided=",".join(sorted(self.scopes)))
        facts = {"id": channel.id, "name": channel.name, "is_member": channel.member}
        shared = {"is_shared": channel.shared, "is_ext_shared": channel.shared}
        return {"channel": {**facts, "is_private": channel.private, **shared, "is_org_shared": False}}

    async def _respond(self, request: Request) -> Response:
        """https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""
        known = self._responses.get(request.url.path)
        if known is None:
            return PlainTextResponse("no_team", 404)
        if self._clock() - known.made_at > RESPONSE_SECONDS:
            return PlainTextResponse("expired_url", 404)
        if known.left < 1:
            return PlainTextResponse("used_url", 404)
        try:
            body = json.loads(await request.body())
            text, blocks = _content(body)
        except (ValueError, AttributeError):
            return PlainTextResponse("invalid_payload", 400)
        except _Error as error:
            return PlainTextResponse(str(error), 400)
        known.left -= 1
        kind = str(body.get("response_type", "ephemeral"))
        self.ephemerals.append(Ephemeral(known.channel, known.user, text, blocks, kind))
        return PlainTextResponse("ok")

    def _channel(self, arguments: Json, *, by_name: bool) -> Channel:
        wanted = arguments.get("channel")
        for channel in self.channels:
            names = (channel.id, f"#{channel.name}", channel.name) if by_name else (channel.id,)
            if wanted in names and (channel.member or not channel.private):
                return channel
        raise _Error("channel_not_found")

    def _open_channel(self, arguments: Json, *, by_name: bool) -> Channel:
        channel = self._channel(arguments, by_name=by_name)
        if channel.archived:
            raise _Error("is_archived")
        if not channel.member:
            raise _Error("not_in_channel")
        return channel

    def _message(self, channel: Channel, ts: Any) -> Message:
        for message in self.messages:
            if (message.channel, message.ts) == (channel.id, ts):
                return message
        raise _Error("message_not_found")

    def _ts(self) -> str:
        """A time of its own: seconds, and a count instead of microseconds."""
        return f"{int(self._clock())}.{next(self._count):06d}"

    def _shown(self, message: Message, *, metadata: bool) -> Json:
        shown: Json = {
            "type": "message",
            "subtype": "bot_message",
            "ts": message.ts,
            "bot_id": message.bot_id,
            "text": message.text,
            "blocks": message.blocks,
        }
        if metadata and message.metadata is not None:
            shown["metadata"] = message.metadata
        return shown


async def _arguments(request: Request) -> Json:
    """The call's arguments from the query, a form or JSON; nested ones of the first two are JSON texts."""
    found: Json = dict(request.query_params)
    body = await request.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if media == "application/json":
            found |= json.loads(body or b"{}")
        elif media == "application/x-www-form-urlencoded":
            found |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        for name in ("blocks", "metadata", "attachments"):
            if isinstance(found.get(name), str):
                found[name] = json.loads(found[name])
    except (ValueError, TypeError):
        raise _Error("invalid_json") from None
    return found


def _content(arguments: Mapping[str, Any]) -> tuple[str, list[Json]]:
    text, blocks = arguments.get("text") or "", arguments.get("blocks") or []
    if not isinstance(text, str):
        raise _Error("invalid_arguments")
    if not text and not blocks:
        raise _Error("no_text")
    if len(text) > TEXT_CHARACTERS:
        raise _Error("msg_too_long")
    try:
        check_blocks(blocks)
    except InvalidBlocks as error:
        raise _Error("invalid_blocks", response_metadata={"messages": [f"[ERROR] {error}"]}) from None
    if len(json.dumps(blocks, ensure_ascii=False)) > BLOCKS_CHARACTERS:
        raise _Error("msg_blocks_too_long")
    return text, blocks


def _metadata(arguments: Json) -> Json | None:
    metadata = arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise _Error("invalid_metadata_format")
    if not isinstance(metadata["event_type"], str) or not isinstance(metadata["event_payload"], dict):
        raise _Error("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise _Error("metadata_too_large")
    return metadata


def _page(found: list[Any], arguments: Json) -> tuple[list[Any], str]:
    """A page of at most `limit`, and the cursor of the next (empty at the end)."""
    size = min(max(int(_number(arguments, "limit", PAGE)), 1), 999)
    start = int(_number(arguments, "cursor", 0.0))
    end = start + size
    return found[start:end], str(end) if end < len(found) else ""


def _number(arguments: Json, name: str, default: float) -> float:
    value = arguments.get(name)
    if value in (None, ""):
        return default
    try:
        return float(str(value))
    except ValueError:
        raise _Error("invalid_cursor" if name == "cursor" else "invalid_arguments") from None
