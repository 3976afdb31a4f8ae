"""What a registry says of an image: its digest, and as which user it runs.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md and, for tokens,
https://distribution.github.io/distribution/spec/auth/token/
"""

import asyncio
import base64
import hashlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from executor.kubernetes.images.credentials import HUB, Credential, host_of, path_of
from executor.kubernetes.settings import Registry
from executor.references import Reference
from executor.words import plain

Credentials = Callable[[], Awaitable[Sequence[Credential]]]
"""Gives what may open a repository; asked only where a registry wants to know who asks."""

_ANSWER = 30.0
"""Seconds for one question, with all that it takes."""
_MOST = 4 * 1024 * 1024
"""Bytes of an answer; registries take manifests up to this size."""
_REDIRECTS = 3
_TRIES = 4
"""Credentials that are tried."""
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPTED = ", ".join((*_INDEXES, *_MANIFESTS))
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_CHALLENGE = re.compile(r"(?i)(basic|bearer)\s+(.*)", re.DOTALL)
_PARAMETER = re.compile(r'([a-zA-Z]+)="([^"]*)"')
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Unanswered(Exception):
    """The registry cannot be asked now: a sentence."""


class Denied(Exception):
    """The registry says no: its words. `is_missing`: there is no such image."""

    def __init__(self, words: str, *, is_missing: bool) -> None:
        super().__init__(words)
        self.is_missing = is_missing


@dataclass(frozen=True, slots=True)
class Answer:
    """A status from 200 to 299, its headers and its whole body."""

    headers: httpx.Headers
    body: bytes


class Registries:
    """Asks registries; every question raises `Unanswered` and `Denied`.

    `known` are those that are reached over plain HTTP or with a CA of their own, by `host[:port]`.
    """

    def __init__(self, known: Mapping[str, Registry] | None = None) -> None:
        self._known = known or {}
        self._trusted: dict[str | None, ssl.SSLContext] = {}

    async def digest(self, reference: Reference, credentials: Credentials) -> str:
        """Give the digest of what a tag names now."""
        name = reference.digest or reference.tag or "latest"
        async with self._asking(reference, credentials) as registry:
            answer = await registry.get(f"manifests/{name}", method="HEAD")
            digest = str(answer.headers.get("Docker-Content-Digest", ""))
            if not _DIGEST.fullmatch(digest):
                answer = await registry.get(f"manifests/{name}")
                digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
            return digest

    async def user(self, reference: Reference, credentials: Credentials) -> str:
        """Give the user that an image runs as, as its config has it; empty: root.

        Of an image for several platforms it is that of its first one for Linux.
        """
        async with self._asking(reference, credentials) as registry:
            manifest = _json(await registry.get(f"manifests/{reference.digest or reference.tag or 'latest'}"))
            if "manifests" in manifest:
                manifest = _json(await registry.get(f"manifests/{_platform(manifest)}"))
            config = _json(await registry.get(f"blobs/{_digest(manifest.get('config'))}"))
        inner = config.get("config")
        return str(inner.get("User") or "") if isinstance(inner, dict) else ""

    @asynccontextmanager
    async def _asking(self, reference: Reference, credentials: Credentials) -> AsyncIterator["_Asking"]:
        host = host_of(reference)
        trusted = await self._trust(self._known[host].ca if host in self._known else None)
        try:
            async with (
                asyncio.timeout(_ANSWER),
                httpx.AsyncClient(verify=trusted, timeout=_ANSWER) as client,
            ):
                yield _Asking(client, reference, credentials, self._known)
        except TimeoutError as problem:
            raise Unanswered(f"The registry {host} takes too long.") from problem
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
            words = plain(str(problem)) or type(problem).__name__
            raise Unanswered(f"The registry {host} does not answer: {words}") from problem

    async def _trust(self, ca: str | None) -> ssl.SSLContext:
        """Give what servers are checked against: what this machine trusts, and `ca` besides."""
        if ca not in self._trusted:  # which reads some hundred certificates
            made = await asyncio.to_thread(httpx.create_ssl_context)
            if ca is not None:
                made.load_verify_locations(cadata=ca)
            self._trusted[ca] = made
        return self._trusted[ca]


class _Asking:
    """Questions about one repository, which are answered to the same credential."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        reference: Reference,
        credentials: Credentials,
        known: Mapping[str, Registry],
    ) -> None:
        self._client = client
        self._open = {host for host, registry in known.items() if registry.http}
        self._credentials = credentials
        self._host = host_of(reference)
        self._path = path_of(reference)
        address = "registry-1.docker.io" if self._host == HUB else self._host
        is_open = address in self._open or (address not in known and _is_loopback(f"//{address}"))
        scheme = "http" if is_open else "https"
        self._base = f"{scheme}://{address}/v2/{self._path}/"
        self._authorization: str | None = None

    async def get(self, path: str, *, method: str = "GET") -> Answer:
        """Ask; where the registry wants to know who asks, with what may open it, and at last as nobody."""
        status, answer = await self._ask(method, path)
        if status == httpx.codes.UNAUTHORIZED and self._authorization is None:
            challenge = answer.headers.get("WWW-Authenticate", "")
            for credential in [*list(await self._credentials())[:_TRIES], None]:
                authorization = await self._authorize(challenge, credential)
                if authorization is None:
                    continue
                self._authorization = authorization
                status, answer = await self._ask(method, path)
                if status not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
                    break
        if httpx.codes.is_success(status):
            return answer
        if method == "HEAD" and not _is_busy(status):  # which has no words
            status, answer = await self._ask("GET", path)
        raise self._refusal(status, answer)

    def _refusal(self, status: int, answer: Answer) -> Exception:
        words = f"{self._host}: {_words(answer.body) or f'status {status}'}"
        if _is_busy(status) or not httpx.codes.is_client_error(status):
            return Unanswered(f"The registry {words}")
        return Denied(f"{self._path}: {words}", is_missing=status == httpx.codes.NOT_FOUND)

    async def _ask(self, method: str, path: str) -> tuple[int, Answer]:
        url, headers = self._base + path, {"Accept": _ACCEPTED}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        for _ in range(_REDIRECTS):
            status, answer = await self._send(self._client.build_request(method, url, headers=headers))
            if not httpx.codes.is_redirect(status) or "Location" not in answer.headers:
                break
            target = str(httpx.URL(url).join(answer.headers["Location"]))
            if not self._may_follow(url, target):
                raise Unanswered(f"The registry {self._host} sends elsewhere, without encryption.")
            if urlsplit(target).netloc != urlsplit(url).netloc:
                headers.pop("Authorization", None)  # a store of blobs has its own, in the address
            url = target
        return status, answer

    async def _send(self, request: httpx.Request) -> tuple[int, Answer]:
        answer = await self._client.send(request, stream=True)
        try:
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST:
                    raise Unanswered(f"The registry {self._host} says more than {_MOST >> 20} MiB.")
            return answer.status_code, Answer(answer.headers, body)
        finally:
            await answer.aclose()

    async def _authorize(self, challenge: str, credential: Credential | None) -> str | None:
        """Give the header that the registry asks for; None where there is none for this credential."""
        scheme = _CHALLENGE.match(challenge)
        if scheme is None:
            return None
        if scheme[1].lower() == "basic":
            return None if credential is None else _basic(credential)
        parameters = {name.lower(): value for name, value in _PARAMETER.findall(scheme[2])}
        realm = parameters.get("realm", "")
        if not self._may_follow(self._base, realm):
            raise Unanswered(f"The registry {self._host} names no place for tokens that can be trusted.")
        query = {"service": parameters.get("service", ""), "scope": f"repository:{self._path}:pull"}
        status, answer = await self._send(self._token_request(realm, query, credential))
        if not httpx.codes.is_success(status):
            if _is_busy(status):
                raise self._refusal(status, answer)
            return None
        token = _json(answer)
        text = token.get("token") or token.get("access_token")
        return f"Bearer {text}" if isinstance(text, str) and text.isascii() and text.isprintable() else None

    def _token_request(
        self, realm: str, query: dict[str, str], credential: Credential | None
    ) -> httpx.Request:
        if credential is not None and credential.token is not None:
            form = {"grant_type": "refresh_token", "client_id": "errand", "refresh_token": credential.token}
            return self._client.build_request("POST", realm, data=form | query)
        headers = {} if credential is None else {"Authorization": _basic(credential)}
        return self._client.build_request("GET", httpx.URL(realm).copy_merge_params(query), headers=headers)

    def _may_follow(self, origin: str, target: str) -> bool:
        """Whether to go on at `target`: encrypted, or open and near as the registry itself is."""
        scheme, place = urlsplit(target).scheme, urlsplit(target).netloc
        if scheme == "https":
            return True
        is_open = place in self._open and urlsplit(origin).netloc in self._open
        return scheme == "http" and (is_open or (_is_loopback(origin) and _is_loopback(target)))


def _basic(credential: Credential) -> str:
    return "Basic " + base64.b64encode(f"{credential.user}:{credential.password}".encode()).decode()


def _is_busy(status: int) -> bool:
    return status in (408, 429) or status >= 500


def _is_loopback(url: str) -> bool:
    with suppress(ValueError):
        return urlsplit(url).hostname in _LOOPBACK
    return False


def _json(answer: Answer) -> dict[str, Any]:
    with suppress(ValueError):
        document = json.loads(answer.body)
        if isinstance(document, dict):
            return document
    raise Unanswered("The registry says what no registry should.")


def _platform(index: dict[str, Any]) -> str:
    listed = (
        [one for one in index["manifests"] if isinstance(one, dict)]
        if isinstance(index["manifests"], list)
        else []
    )
    linux = [
        one
        for one in listed
        if isinstance(one.get("platform"), dict) and one["platform"].get("os") == "linux"
    ]
    return _digest(next(iter([*linux, *listed]), None))


def _digest(descriptor: object) -> str:
    found = descriptor.get("digest") if isinstance(descriptor, dict) else None
    if isinstance(found, str) and _DIGEST.fullmatch(found):
        return found
    raise Unanswered("The registry says what no registry should.")


def _words(body: bytes) -> str:
    """Give the words of an error, as registries write it."""
    with suppress(ValueError, KeyError, AttributeError, TypeError):
        errors = json.loads(body)["errors"]
        return plain("; ".join(str(one.get("message") or one.get("code")) for one in errors))
    return ""
