"""The connections to GitHub: aiohttp below httpx.

httpx's own pool asks the kernel about every idle connection at every call, and frames HTTP in Python: a call
costs the event loop twice as much. Where the environment names a proxy, httpx knows what is meant.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.request import getproxies

import aiohttp
import httpx
from yarl import URL

_OWN = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add; httpx has said what there is to say."""


def connections(tls: ssl.SSLContext | bool, limit: int) -> "Connections | None":
    """Up to `limit` connections; None where the environment names a proxy."""
    if {"all", "http", "https"} & getproxies().keys():
        return None
    return Connections(tls, limit)


class Connections(httpx.AsyncBaseTransport):
    """A pool of connections as httpx wants it; redirects and encodings are httpx's.

    Where a kept connection broke, a GET goes out again over a new one; POST and PATCH never do.
    """

    def __init__(self, tls: ssl.SSLContext | bool, limit: int) -> None:
        self._tls = tls
        self._limit = limit
        self._pool: aiohttp.ClientSession | None = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._pool is None:
            self._pool = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, ssl=self._tls or True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_OWN,
            )
        return self._pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; gives the answer once its head is there. Raises `httpx.TransportError`."""
        waits = request.extensions.get("timeout", {})
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=waits.get("pool"),
            sock_connect=waits.get("connect"),
            sock_read=waits.get("read"),
        )
        with _translated(request):
            answer = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=timeout,
            )
        return httpx.Response(
            answer.status, headers=list(answer.raw_headers), stream=_Body(answer, request), request=request
        )

    async def aclose(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()


class _Body(httpx.AsyncByteStream):
    """The body of an answer as it was sent."""

    def __init__(self, answer: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated(self._request):
            async for chunk in self._answer.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        """Give the connection back, or close it where more would come."""
        self._answer.release()


@contextmanager
def _translated(request: httpx.Request) -> Iterator[None]:
    """The failures of aiohttp as those of httpx."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout(str(error), request=request) from error
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error), request=request) from error
    except aiohttp.ClientOSError as error:
        raise httpx.ReadError(str(error), request=request) from error
    except aiohttp.ClientError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
