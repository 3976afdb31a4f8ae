"""One call to GitHub: sent once, bounded in time and size, its failure told by kind.

githubkit carries the request; its retries, its HTTP cache and its typed models stay off, for the reasons of
docs/decisions/2026-11-29-githubkit.md.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from githubkit import GitHubCore, UnauthAuthStrategy
from githubkit.config import build_base_url
from githubkit.exception import GitHubException, RequestFailed
from githubkit.throttling import LocalThrottler

from bot.errors import Refused, RetryLater
from bot.github.conditional import Answers, Kept
from bot.github.connections import connections
from bot.github.limits import LONGEST_DELAY, SECONDARY_DELAY, Limits, seconds
from bot.text.vocabulary import duration
from executor.spec import Secret

CALL_SECONDS = 30.0  # one call in all, waiting for its turn included
STEP_SECONDS = 10.0  # connecting, or one read or write
CONCURRENT_CALLS = 8  # GitHub prefers few at once
ANSWER_BYTES = 8 * 1024 * 1024  # as sent, compressed or not
REDIRECTS = 3
API_VERSION = "2022-11-28"
GRAPHQL = "graphql"
"""The path of the GraphQL API in a call."""


@dataclass(frozen=True, slots=True)
class Call:
    """What to send. `path` is relative to the API and escaped; `None` values of `query` are left out.

    `may_lack`: a 404 says that there is no such thing, and nothing about who asks. `as_text`: the answer
    may be large, so it is not read as JSON here, which would stop everything else. `kept`: what it
    answers may be kept, to be asked for by its ETag.
    """

    method: str
    path: str
    query: Mapping[str, str | int | None] | None = None
    body: Mapping[str, object] | None = None
    accept: str = "application/vnd.github+json"
    may_lack: bool = False
    as_text: bool = False
    kept: bool = True

    @property
    def resource(self) -> str:
        """Which of the limits of an hour counts it."""
        return "graphql" if self.path == GRAPHQL else "core"


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. `data` is its JSON, or None where it is none."""

    status: int
    headers: Mapping[str, str]
    data: Any
    text: str


class _Bounded(httpx.AsyncByteStream):
    """A body that breaks off with an error after `limit` bytes."""

    def __init__(self, stream: httpx.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise httpx.DecodingError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx.Response) -> None:
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = _Bounded(response.stream, ANSWER_BYTES)


class _Core(GitHubCore[UnauthAuthStrategy]):
    """githubkit with one pool of connections for all tasks; its own lasts one context or one call."""

    def __init__(self, api_url: str, tls: ssl.SSLContext | bool) -> None:
        super().__init__(
            UnauthAuthStrategy(),
            base_url=api_url,
            user_agent="errand",
            follow_redirects=False,
            timeout=STEP_SECONDS,
            ssl_verify=tls,
            http_cache=False,
            auto_retry=False,
            throttler=LocalThrottler(CONCURRENT_CALLS),
            async_transport=connections(tls, CONCURRENT_CALLS),
            async_event_hooks={"response": [_bound]},
        )
        self._shared: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def get_async_client(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        if self._shared is None:
            self._shared = await self._create_async_client()  # waits for nothing while the cache is off
        yield self._shared

    async def close(self) -> None:
        if self._shared is not None:
            shared, self._shared = self._shared, None
            await shared.aclose()


class Transport:
    """Sends calls to the API at `api_url`; while a credential is limited its calls fail unsent."""

    def __init__(self, api_url: str, clock: Callable[[], float]) -> None:
        self._base = build_base_url(api_url)
        self._limits = Limits(clock)
        self._answers = Answers()
        self._opening: asyncio.Task[_Core] | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._opening is not None:
            core = await self._core()
            self._opening = None
            await core.close()

    async def _core(self) -> _Core:
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> _Core:
        """Reading the certificates takes a tenth of a second, so a thread does it, and once."""
        https = self._base.scheme == "https"
        return _Core(str(self._base), await asyncio.to_thread(httpx.create_ssl_context) if https else False)

    async def send(self, call: Call, credential: Secret | None, who: str) -> Answer:
        """Send once and give the answer. `who` names the credential, whose limits are its own.

        Raises `RetryLater` where nothing or perhaps something was done and trying again may help,
        `Refused` where GitHub said no. Redirects are followed to the same host, and for writes only
        where the method is kept (GitHub moves renamed repositories with 301 and 307).
        """
        self._limits.require(who, call.resource)
        url = self._url(call)
        for _ in range(REDIRECTS + 1):
            key = (who, call.accept, str(url), json.dumps(call.query))
            keeps = call.method == "GET" and call.kept
            kept = self._answers.find(key) if keeps else None
            response = await self._once(call, url, credential, kept)
            if kept is not None and response.status_code == 304:
                self._limits.took(who, call.resource, response.headers)
                return Answer(200, kept.headers, kept.data, kept.text)
            if not 300 <= response.status_code < 400:
                answer = self._judge(call, response, who)
                etag = response.headers.get("etag")
                if keeps and etag is not None:
                    self._answers.keep(key, Kept(etag, answer.headers, answer.data, answer.text))
                return answer
            url = self._next(call, url, response)
        raise Refused(f"GitHub redirects {call.method} {call.path} in a circle", status=310)

    def _url(self, call: Call) -> httpx.URL:
        """On GitHub Enterprise Server GraphQL is beside the REST API: `/api/graphql` and `/api/v3/`."""
        base = self._base.raw_path
        if call.path == GRAPHQL:
            base = base.removesuffix(b"v3/")
        return self._base.copy_with(raw_path=base + call.path.lstrip("/").encode("ascii"))

    async def _once(
        self, call: Call, url: httpx.URL, credential: Secret | None, kept: Kept | None
    ) -> httpx.Response:
        headers = {"Accept": call.accept, "X-GitHub-Api-Version": API_VERSION}
        if kept is not None:
            headers["If-None-Match"] = kept.etag
        if credential is not None:
            token = credential.reveal()
            headers["Authorization"] = token if token.startswith("Basic ") else f"Bearer {token}"
        content = None
        if call.body is not None:
            content = json.dumps(call.body).encode()
            headers["Content-Type"] = "application/json"
        query = {key: value for key, value in (call.query or {}).items() if value is not None}
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await (await self._core()).arequest(
                    call.method, url, params=query or None, content=content, headers=headers
                )
            return answer.raw_response
        except RequestFailed as failed:
            return failed.response.raw_response
        except GitHubException as failed:
            cause = type(getattr(failed, "exc", failed)).__name__
        except TimeoutError:
            cause = f"no answer within {duration(CALL_SECONDS)}"
        except ValueError:  # githubkit reads limit headers as integers; a proxy's may be none
            raise RetryLater(
                f"{call.method} {call.path}: GitHub's limits are unreadable", delay=SECONDARY_DELAY
            ) from None
        raise RetryLater(f"{call.method} {call.path}: {cause}") from None

    def _next(self, call: Call, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        status = response.status_code
        kept = status in (307, 308) or (status in (301, 302) and call.method == "GET")
        try:
            target = url.join(response.headers.get("location", ""))
        except (httpx.InvalidURL, ValueError):
            target = httpx.URL("")
        same = (target.scheme, target.netloc) == (url.scheme, url.netloc)
        below = target.raw_path.startswith(self._base.raw_path)  # on Enterprise Server the host has more
        if not kept or not same or not below:
            raise Refused(f"{call.method} {call.path} was redirected ({status})", status=status)
        return target

    def _judge(self, call: Call, response: httpx.Response, who: str) -> Answer:
        status, headers = response.status_code, response.headers
        if call.as_text and status < 300:
            self._limits.took(who, call.resource, headers)
            return Answer(status, headers, None, response.text)
        try:
            data = response.json()
        except (ValueError, RecursionError):
            data = None
        if status < 300:
            self._limits.took(who, call.resource, headers)
            return Answer(status, headers, data, response.text)
        detail = data.get("message") if isinstance(data, dict) else None
        message = f"{call.method} {call.path}: GitHub answered {status}"
        if isinstance(detail, str):
            message += f" ({detail[:200]})"
        answer = status, headers, detail if isinstance(detail, str) else ""
        delay = self._limits.refused(who, call.resource, answer)
        if delay is not None:
            raise RetryLater(message, delay=delay)
        if status >= 500 or status == 408:
            raise RetryLater(message, delay=seconds(headers.get("retry-after"), LONGEST_DELAY))
        raise Refused(message, status=status)
