"""The one door to the API of Kubernetes: configuration, requests, watches and logs.

https://kubernetes.io/docs/reference/using-api/api-concepts/ What the server says is given as plain JSON: the
official client's models of answers lose what a newer server knows, and its own watch and log loops start
again from the beginning. What keeps the server from answering is `EngineUnavailable`, and what it says no to
for now is a `Deferral` of that kind.
"""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.rest import RESTResponse
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.aio.config.kube_config import refresh_token

from executor.errors import EngineUnavailable
from executor.kubernetes.refusals import Refused, Rights
from executor.kubernetes.resources import Resource
from executor.kubernetes.settings import Settings

_ANSWER = aiohttp.ClientTimeout(total=60.0, sock_connect=10.0)
_PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}

Object = dict[str, Any]
"""An object as the API gives it."""


class Silence(EngineUnavailable):
    """The server took what it was asked, and said nothing for too long."""


class Client:
    """A connection to one API server."""

    def __init__(self, api: ApiClient, refreshing: "asyncio.Task[None] | None") -> None:
        self._api = api
        self._refreshing = refreshing
        self._rights = Rights()

    @classmethod
    async def open(cls, settings: Settings) -> "Client":
        """Read the configuration; nothing is asked yet. Raises EngineUnavailable where there is none."""
        configuration = Configuration()
        # Every log that is followed is a connection; how many there are the limits of runs say.
        configuration.connection_pool_maxsize = 0
        refreshing = None
        try:
            if settings.kubeconfig is None and settings.context is None and _is_in_cluster():
                load_incluster_config(configuration)
            else:
                _check_there_is_one(settings)
                loader = await load_kube_config(
                    settings.kubeconfig,
                    settings.context,
                    client_configuration=configuration,
                    persist_config=False,
                )
                refreshing = asyncio.create_task(refresh_token(loader, configuration))
            return cls(ApiClient(configuration), refreshing)
        except (ConfigException, OSError, ValueError, ssl.SSLError) as problem:
            raise EngineUnavailable(f"no configuration for a cluster: {problem}") from problem

    async def close(self) -> None:
        """End all connections."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await self._api.close()

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        """Create an object; raises `Refused` (409 AlreadyExists, 422 Invalid, ...), EngineUnavailable."""
        return await self._ask("POST", _path(resource, namespace), body=body)

    async def make(self, resource: Resource, body: Object) -> Object | None:
        """Create an object in the namespace that it says; None if there is one of that name."""
        try:
            return await self.create(resource, body["metadata"]["namespace"], body)
        except Refused as refused:
            if refused.status == HTTPStatus.CONFLICT and refused.reason == "AlreadyExists":
                return None
            raise

    async def make_or_get(self, resource: Resource, body: Object) -> Object:
        """Create an object, or give the one of that name."""
        made = await self.make(resource, body)
        metadata = body["metadata"]
        return await self.get(resource, metadata["namespace"], metadata["name"]) if made is None else made

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """Give one object; raises `Refused` with 404, ..."""
        return await self._ask("GET", _path(resource, namespace, name))

    async def list(self, resource: Resource, namespace: str, **query: str | int) -> Object:
        """Give one page of objects with the list's `metadata`; `query` is that of the API."""
        return await self._ask("GET", _path(resource, namespace), query)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Any,
        kind: Literal["merge", "strategic", "json"] = "merge",
    ) -> Object:
        """Change an object; raises `Refused` with 404, 409, 422, ..."""
        path = _path(resource, namespace, name)
        return await self._ask("PATCH", path, body=body, media_type=_PATCHES[kind])

    async def change(self, resource: Resource, namespace: str, name: str, body: Any) -> None:
        """Change an object if it is there still."""
        try:
            await self.patch(resource, namespace, name, body)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    async def delete(self, resource: Resource, namespace: str, name: str, body: Object | None = None) -> bool:
        """Delete an object; False if there was none. `body` is a `DeleteOptions`."""
        try:
            await self._ask("DELETE", _path(resource, namespace, name), body=body)
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    @asynccontextmanager
    async def stream(
        self,
        resource: Resource,
        namespace: str,
        *parts: str,
        query: Mapping[str, str | int],
        idle: float | None = None,
        first: float | None = _ANSWER.total,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give what the server says as it comes, in pieces of any size; raises as the others do.

        It is asked for the collection, or for `parts` of it: an object, and what of that.
        EngineUnavailable also where it says nothing for `idle` seconds, or does not begin to answer for
        `first` seconds, which for the log of a job is when that writes its first line.
        """
        path = _path(resource, namespace, *parts)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=idle)
        with _unavailable(self._rights):
            async with asyncio.timeout(first):
                answer = await self._request("GET", path, query, timeout=timeout)
                if answer.status != HTTPStatus.OK:
                    data = await answer.read()
                    raise self._rights.problem("GET", path, (answer.status, data, answer.headers))
            self._rights.grant("GET", path)
            try:
                yield answer.response.content.iter_any()
            finally:
                connection = answer.response.connection
                if connection is not None and connection.transport is not None:
                    connection.transport.abort()  # TLS would say goodbye first, and nobody waits for that
                answer.response.close()

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        media_type: str = "application/json",
    ) -> Object:
        with _unavailable(self._rights):
            answer = await self._request(method, path, query or {}, body, media_type, _ANSWER)
            data = await answer.read()
            if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise self._rights.problem(method, path, (answer.status, data, answer.headers))
            document = json.loads(data)
        self._rights.grant(method, path)
        if not isinstance(document, dict):
            raise EngineUnavailable("the API server of Kubernetes answers what it never should")
        return document

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Any = None,
        media_type: str = "application/json",
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> RESTResponse:
        headers = {"Accept": "application/json", "Content-Type": media_type}
        method, url, sent_headers, _, _ = await self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            auth_settings=["BearerToken"],
        )
        answer: RESTResponse = await self._api.rest_client.request(
            method, url, headers=sent_headers, body=body, _request_timeout=timeout
        )
        return answer


def _path(resource: Resource, namespace: str | None, *names: str) -> str:
    """The path of a collection, of one object, or of a part of one; a name is one part, whatever is in it."""
    for name in (namespace, *names):
        if name in (".", "..", ""):
            raise Refused(HTTPStatus.BAD_REQUEST, "BadRequest", f"{name!r} is no name")
    within = () if namespace is None else ("namespaces", namespace)
    parts = (quote(each, safe="") for each in (*within, resource.plural, *names))
    return "/".join(["", resource.prefix, *parts])


def _is_in_cluster() -> bool:
    with suppress(ConfigException, OSError):
        load_incluster_config(Configuration())
        return True
    return False


def _check_there_is_one(settings: Settings) -> None:
    """Raise ConfigException where no kubeconfig is there; the client's own words would not say so."""
    paths = settings.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    if not any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path):
        named = "" if settings.kubeconfig else "Errand does not run in one, and "
        raise ConfigException(f"{named}there is no file {paths}")


class _unavailable:
    """Turns what keeps the server from answering into EngineUnavailable."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, TimeoutError):
            is_connected = not isinstance(problem, aiohttp.ConnectionTimeoutError)
            kind = Silence if is_connected else EngineUnavailable
            raise kind("the API server of Kubernetes takes too long") from problem
        if isinstance(problem, (aiohttp.ClientError, OSError, json.JSONDecodeError, UnicodeDecodeError)):
            self._rights.miss()
            raise EngineUnavailable("no connection to the API server of Kubernetes") from problem
