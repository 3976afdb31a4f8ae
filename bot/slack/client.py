"""The one door to Slack's Web API, and to the response URLs of its commands.

What it does: posts, edits and finds messages, and says whether a failed call may be tried again
(`RetryLater`) or not (`Refused`). What it may not do: decide anything, or send a message twice: the
SDK's own retries, which repeat posts, stay off.

Scopes of the bot: `chat:write`, and to find what was posted before a crash `channels:history`
(`groups:history` for private channels) and, where channels are given by name, `channels:read`
(`groups:read`). Methods: https://docs.slack.dev/reference/methods
"""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import Refused, RetryLater
from executor.spec import Secret

CALL_SECONDS = 15.0
CONCURRENT_CALLS = 8
LONGEST_DELAY = 300.0  # seconds
LIMITED_DELAY = 30.0  # seconds, where Slack names no time
PAGE = 100
PAGES = 10  # of a channel's history, or of the list of channels
SINCE_SLACK = 60.0  # seconds by which Slack's clock and ours may differ
EVENT_TYPE = "errand_post"
RESPONSE_HOST = "hooks.slack.com"

_AGAIN = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "accesslimited",
    }
)
_ADVICE = {
    "not_in_channel": "Errand is not in the channel {channel}: invite it there with /invite",
    "channel_not_found": (
        "Slack shows Errand no channel {channel}: check its name, and if it is private, invite Errand to it"
    ),
    "is_archived": "the channel {channel} is archived",
    "missing_scope": "Errand's Slack app lacks a scope ({needed}): add it and install the app again",
    "invalid_auth": "Slack does not know the bot token (slack.bot_token)",
    "token_revoked": "the bot token (slack.bot_token) was revoked",
}

_log = structlog.get_logger(__name__)


class Slack:
    """One workspace, as one bot. Channels are ids (`C012AB3CD`) or names (`#ops`)."""

    def __init__(self, *, api_url: str, bot_token: Secret, clock: Callable[[], float]) -> None:
        self._api = urlsplit(api_url)
        self._clock = clock
        self._client = AsyncWebClient(token=bot_token.reveal(), base_url=api_url, retry_handlers=[])
        self._client.proxy = _proxy(self._api.scheme, self._api.hostname or "")
        self._hooks: httpx.AsyncClient | None = None
        self._turns = asyncio.Semaphore(CONCURRENT_CALLS)
        self._held_until = 0.0
        self._about: dict[str, Any] | None = None
        self._channels: dict[str, str] = {}

    async def close(self) -> None:
        """Close all connections."""
        if self._client.session is not None:
            await self._client.session.close()
        if self._hooks is not None:
            await self._hooks.aclose()

    async def post(
        self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] | None, nonce: str
    ) -> tuple[str, str]:
        """Post a message that `find` finds by its nonce; gives the channel's id and the message's `ts`."""
        answer = await self._call(
            channel,
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=_plain(blocks),
                metadata={"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}},
                unfurl_links=False,
                unfurl_media=False,
            ),
        )
        posted, ts = answer.get("channel"), answer.get("ts")
        if not isinstance(posted, str) or not isinstance(ts, str):
            raise Refused("Slack's answer lacks the message", status="unexpected_answer")
        if channel.startswith("#"):
            self._channels[channel[1:]] = posted
        return posted, ts

    async def update(
        self, channel: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]] | None
    ) -> None:
        """Replace a message of ours. Its metadata, and so its nonce, stays."""
        await self._call(
            channel,
            lambda: self._client.chat_update(channel=channel, ts=ts, text=text, blocks=_plain(blocks)),
        )

    async def find(self, channel: str, nonce: str, since: float) -> tuple[str, str] | None:
        """Channel id and `ts` of the message of ours with `nonce` that was posted after `since`, if any.

        Without the scope to look, this says so in the log and finds nothing: after a crash in the
        wrong moment a message may then be there twice.
        """
        try:
            where = await self._channel_id(channel)
            if where is None:
                return None
            ts = await self._search(where, nonce, since)
        except Refused as refused:
            if refused.status not in ("missing_scope", "not_in_channel", "channel_not_found"):
                raise
            _log.warning("slack.cannot_look", channel=channel, reason=str(refused))
            return None
        return (where, ts) if ts is not None else None

    async def is_shared(self, channel: str) -> bool:
        """Whether another organisation reads the channel (Slack Connect), or is invited to.

        False where the bot lacks the scope to look, or Slack shows it no such channel.
        https://docs.slack.dev/apis/slack-connect
        """
        try:
            where = await self._channel_id(channel)
            if where is None:
                return False
            answer = await self._call(channel, lambda: self._client.conversations_info(channel=where))
        except Refused as refused:
            _log.info("slack.cannot_look", channel=channel, reason=str(refused))
            return False
        about = answer.get("channel")
        facts = about if isinstance(about, Mapping) else {}
        return any(facts.get(name) is True for name in ("is_ext_shared", "is_pending_ext_shared"))

    async def respond(self, response_url: str, text: str) -> None:
        """Answer a command, seen only by who gave it. Slack takes five answers within 30 minutes."""
        if not self._is_slacks(response_url):
            raise Refused("the response URL is not Slack's", status="invalid_url")
        body = json.dumps({"response_type": "ephemeral", "replace_original": False, "text": text})
        try:
            async with asyncio.timeout(CALL_SECONDS), self._turns:
                answer = await (await self._responder()).post(
                    response_url, content=body, headers={"Content-Type": "application/json"}
                )
        except (httpx.HTTPError, TimeoutError) as failed:
            raise RetryLater(f"Slack's response URL: {type(failed).__name__}") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            delay = _delay(answer.headers.get("retry-after"))
            raise RetryLater(f"Slack's response URL answered {answer.status_code}", delay=delay)
        if answer.status_code != 200:
            raise Refused(
                f"Slack's response URL answered {answer.status_code} ({answer.text[:60]})",
                status=answer.status_code,
            )

    def _is_slacks(self, address: str) -> bool:
        """Whether an address that came with a command leads to Slack (or to the API's own host)."""
        try:
            url = urlsplit(address)
            place = (url.scheme, url.hostname, url.port)
            api = (self._api.scheme, self._api.hostname, self._api.port)
        except ValueError:
            return False
        if url.username is not None or url.password is not None or not address.isascii():
            return False
        return place in (("https", RESPONSE_HOST, None), ("https", RESPONSE_HOST, 443), api)

    async def _responder(self) -> httpx.AsyncClient:
        """The client for response URLs; a thread reads the certificates, for a tenth of a second."""
        if self._hooks is None:
            tls = await asyncio.to_thread(httpx.create_ssl_context)
            if self._hooks is None:
                self._hooks = httpx.AsyncClient(timeout=CALL_SECONDS, follow_redirects=False, verify=tls)
        return self._hooks

    async def _search(self, channel: str, nonce: str, since: float) -> str | None:
        ours = await self._own_bot_id()
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self._call(
                channel,
                lambda cursor=cursor: self._client.conversations_history(  # type: ignore[misc]
                    channel=channel,
                    include_all_metadata=True,
                    oldest=f"{max(since - SINCE_SLACK, 0.0):.6f}",
                    limit=PAGE,
                    cursor=cursor,
                ),
            )
            for message in _items(answer, "messages"):
                if _nonce(message) == nonce and message.get("bot_id") == ours:
                    return str(message.get("ts"))
            cursor = _cursor(answer)
            if cursor is None:
                break
        return None

    async def _channel_id(self, channel: str) -> str | None:
        """The id of a channel that may be given by name; history takes no names."""
        name = channel.removeprefix("#")
        if not channel.startswith("#"):
            return channel
        cursor: str | None = None
        for _ in range(PAGES):
            if name in self._channels:
                return self._channels[name]
            answer = await self._call(
                channel,
                lambda cursor=cursor: self._client.conversations_list(  # type: ignore[misc]
                    types="public_channel,private_channel", exclude_archived=True, limit=1000, cursor=cursor
                ),
            )
            for each in _items(answer, "channels"):
                if isinstance(each, Mapping) and isinstance(each.get("id"), str):
                    self._channels[str(each.get("name"))] = each["id"]
            cursor = _cursor(answer)
            if cursor is None:
                break
        return self._channels.get(name)

    async def address(self, channel: str, ts: str) -> str | None:
        """Where a message is read, None where Slack does not say the address of the workspace."""
        url = (await self._about_us()).get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            return None
        return f"{url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"

    async def _own_bot_id(self) -> str | None:
        found = (await self._about_us()).get("bot_id")
        return found if isinstance(found, str) else None

    async def _about_us(self) -> dict[str, Any]:
        """What Slack says of the token, asked once."""
        if self._about is None:
            self._about = await self._call("", lambda: self._client.auth_test())
        return self._about

    async def _call(self, channel: str, send: Callable[[], Awaitable[AsyncSlackResponse]]) -> dict[str, Any]:
        """Send once; the answer as plain JSON. While Slack limits us nothing is sent."""
        held = self._held_until - self._clock()
        if held > 0:
            raise RetryLater("Slack's rate limit is used up", delay=held)
        try:
            async with asyncio.timeout(CALL_SECONDS), self._turns:
                self._ensure_session()
                answer = await send()
        except SlackApiError as failed:
            raise self._judged(channel, failed) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as failed:
            raise RetryLater(f"Slack: {type(failed).__name__}") from None
        except (ValueError, AttributeError, TypeError) as failed:
            # What is no JSON object is nothing that Slack said; the SDK stumbles over it.
            raise RetryLater(f"Slack's answer is unreadable ({type(failed).__name__})") from None
        return answer.data if isinstance(answer.data, dict) else {}

    def _ensure_session(self) -> None:
        """One pool of connections for all calls; without it the SDK opens one for each."""
        if self._client.session is None:
            self._client.session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS), cookie_jar=aiohttp.DummyCookieJar()
            )

    def _judged(self, channel: str, failed: SlackApiError) -> RetryLater | Refused:
        response = failed.response
        status = getattr(response, "status_code", getattr(response, "status", None))
        data = getattr(response, "data", None)
        error = data.get("error") if isinstance(data, dict) else None
        name = error if isinstance(error, str) else f"http_{status}"
        if status == 429 or name in ("ratelimited", "rate_limited"):
            delay = _delay(response.headers.get("Retry-After")) or LIMITED_DELAY
            self._held_until = self._clock() + delay
            return RetryLater("Slack limits our calls", delay=delay)
        if name in _AGAIN or not isinstance(status, int) or status >= 500:
            return RetryLater(f"Slack answered {name}")
        needed = data.get("needed", "?") if isinstance(data, dict) else "?"
        advice = _ADVICE.get(name, "Slack refused ({name})")
        return Refused(advice.format(channel=channel, needed=needed, name=name), status=name)


def _plain(blocks: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    return [dict(block) for block in blocks] if blocks is not None else None


def _items(answer: Mapping[str, Any], name: str) -> list[Any]:
    found = answer.get(name)
    return found if isinstance(found, list) else []


def _nonce(message: object) -> str | None:
    """The nonce in a message's metadata, where it has one."""
    metadata = message.get("metadata") if isinstance(message, Mapping) else None
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    found = payload.get("nonce") if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) else None


def _cursor(answer: Mapping[str, Any]) -> str | None:
    metadata = answer.get("response_metadata")
    found = metadata.get("next_cursor") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) and found else None


def _delay(text: str | None) -> float | None:
    """The seconds of a Retry-After header, capped; None where it holds none."""
    if text is None or not text.isdecimal() or len(text) > 12:
        return None
    return min(max(float(text), 1.0), LONGEST_DELAY)


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy of the environment for `host`; the SDK would use it for loopback and NO_PROXY hosts too."""
    if urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(scheme)
