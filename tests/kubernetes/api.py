"""Requests become operations on objects, and problems become answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.kubernetes import kinds, watching
from tests.kubernetes.access import Access
from tests.kubernetes.evictions import evict
from tests.kubernetes.faults import Faults
from tests.kubernetes.kinds import Kind
from tests.kubernetes.objects import Objects
from tests.kubernetes.podlogs import ContainerLog, Options
from tests.kubernetes.problems import Object, Problem, bad_request, no_resource
from tests.kubernetes.reading import LogQuery, log_query

_PATCHES = tuple(
    f"application/{kind}+json" for kind in ("merge-patch", "strategic-merge-patch", "json-patch")
)
_BOOKMARKS = 5.0
"""Seconds between bookmarks."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Target:
    """What a path names; empty words are what it does not name."""

    kind: Kind
    namespace: str
    name: str
    part: str

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name


class Api:
    """The endpoints. `logs` are those of the pods by uid and container."""

    def __init__(
        self, objects: Objects, access: Access, faults: Faults, logs: Mapping[tuple[str, str], ContainerLog]
    ) -> None:
        self._objects = objects
        self._access = access
        self._faults = faults
        self._logs = logs

    async def answer(self, request: Request) -> Response:
        """Answer any request."""
        try:
            return await self._answer(request)
        except Problem as problem:
            return JSONResponse(problem.body(), problem.status, problem.headers)

    async def _answer(self, request: Request) -> Response:
        user = self._access.user(request.headers.get("authorization"))
        target = _target(request.url.path)
        verb = _verb(request, target)
        resource = f"{target.kind.plural}/{target.part}" if target.part else target.kind.plural
        if fault := self._faults.take(verb, resource):
            return fault
        self._access.check(user, target.kind, verb, (target.namespace, target.name, target.part))
        if target.part == "log":
            return self._log(request, target)
        if target.kind == kinds.ACCESS_REVIEW:
            return JSONResponse(self._review(user, _json(await request.body(), target.kind)), 201)
        match verb:
            case "list":
                return JSONResponse(watching.page(self._objects.store, self._query(request, target)))
            case "watch":
                return self._watch(request, target)
            case "get":
                return JSONResponse(self._objects.store.get(target.kind, *target.place))
            case _:
                return await self._change(request, target, verb)

    async def _change(self, request: Request, target: Target, verb: str) -> Response:
        data = await request.body()
        sent = request.headers.get("content-type", "").partition(";")[0]
        if verb == "patch":
            if sent not in _PATCHES:
                raise _unsupported("415: Unsupported Media Type", {})
            patch = _json(data, target.kind)
            return JSONResponse(self._objects.patch(target.kind, target.place, sent, patch, part=target.part))
        if data and sent != "application/json":
            raise _unsupported(
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json, application/yaml, application/vnd.kubernetes.protobuf"
            )
        body = _json(data, target.kind) if data else {}
        if not isinstance(body, dict):
            raise bad_request("couldn't get version/kind; json parse error")
        match verb:
            case "create":
                if target.part == "eviction":
                    return JSONResponse(evict(self._objects, target.place, body), 201)
                dry = request.query_params.get("dryRun") == "All"
                return JSONResponse(self._objects.create(target.kind, target.namespace, body, dry=dry), 201)
            case "update":
                return JSONResponse(self._objects.put(target.kind, target.place, body, part=target.part))
            case "deletecollection":
                return self._delete_all(request, target, body)
            case _:
                return self._delete(request, target, body)

    def _delete(self, request: Request, target: Target, body: Object) -> Response:
        options = _delete_options(request, body)
        item, gone = self._objects.delete(target.kind, target.place, options)
        if not gone or target.kind.gives_deleted:
            return JSONResponse(item)
        details = {"name": target.name, "kind": target.kind.plural, "uid": item["metadata"]["uid"]}
        details |= {"group": target.kind.group} if target.kind.group else {}
        return JSONResponse(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def _delete_all(self, request: Request, target: Target, body: Object) -> Response:
        options = _delete_options(request, body)
        asked = self._query(request, target)
        listed = watching.page(self._objects.store, asked)
        for item in listed["items"]:
            metadata = item["metadata"]
            self._objects.delete(target.kind, (metadata.get("namespace", ""), metadata["name"]), options)
        return JSONResponse(listed)

    def _query(self, request: Request, target: Target) -> watching.Query:
        words = dict(request.query_params)
        if target.name:
            words["fieldSelector"] = f"metadata.name={target.name}"
        return watching.query(target.kind, target.namespace or None, words)

    def _watch(self, request: Request, target: Target) -> Response:
        asked = self._query(request, target)
        if self._faults.gone_as_status:
            watching.check_age(self._objects.store, asked)
        events = watching.watch(self._objects.store, asked, every=_BOOKMARKS)
        told = self._told(events, request, target.kind.plural)
        return StreamingResponse(told, media_type="application/json")

    async def _told(
        self, events: AsyncIterator[Object], request: Request, plural: str
    ) -> AsyncIterator[bytes]:
        client = _client(request)
        self._faults.watching.add(client)
        try:
            async for event in events:
                if (held := self._faults.held.get(plural)) is not None:
                    await held.wait()
                yield json.dumps(event, separators=(",", ":")).encode() + b"\n"
        finally:
            self._faults.watching.discard(client)

    def _log(self, request: Request, target: Target) -> Response:
        pod = self._objects.store.get(kinds.POD, *target.place)
        asked: LogQuery = log_query(pod, dict(request.query_params))
        if not pod["spec"].get("nodeName"):
            return Response(status_code=204)
        log = self._logs.get((pod["metadata"]["uid"], asked.container))
        if log is None:
            return Response(b"", media_type="text/plain")
        return StreamingResponse(self._followed(log, asked.options, request), media_type="text/plain")

    async def _followed(self, log: ContainerLog, options: Options, request: Request) -> AsyncIterator[bytes]:
        client = _client(request)
        self._faults.following.add(client)
        left = self._faults.cuts.pop(0) if self._faults.cuts else None
        try:
            async for piece in log.read(options):
                if self._faults.log_delay:
                    await asyncio.sleep(self._faults.log_delay)
                if left is not None and len(piece) >= left:
                    yield piece[:left]
                    # What was written has to be on its way before the connection breaks.
                    await asyncio.sleep(0.02)
                    self._faults.cut(client)
                    return
                left = None if left is None else left - len(piece)
                yield piece
        finally:
            self._faults.following.discard(client)

    def _review(self, user: str, body: Any) -> Object:
        spec = (body.get("spec") or {}) if isinstance(body, dict) else {}
        asked = spec.get("resourceAttributes")
        if not asked:
            raise Problem(
                422, "Invalid", "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            )
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource += f"/{asked['subresource']}"
        allowed = self._access.allows(user, asked.get("group", ""), resource, asked.get("verb", ""))
        kind = kinds.ACCESS_REVIEW
        head = {"kind": kind.name, "apiVersion": kind.version, "metadata": {}}
        return {**head, "spec": spec, "status": {"allowed": allowed}}


def _target(path: str) -> Target:
    parts = path.strip("/").split("/")
    match parts:
        case ["api", "v1", *rest]:
            group = ""
        case ["apis", group, "v1", *rest]:
            pass
        case _:
            raise no_resource()
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    kind = kinds.BY_PATH.get((group, rest[0] if rest else ""))
    if kind is None or len(rest) > 3:
        raise no_resource()
    name, part = (*rest[1:], "", "")[:2]
    if part not in ("", "log", "status", "eviction") or (part in ("log", "eviction") and kind != kinds.POD):
        raise no_resource()
    return Target(kind, namespace, name, part)


def _verb(request: Request, target: Target) -> str:
    if request.method in ("GET", "HEAD"):
        if target.part == "eviction":
            raise _wrong_method()
        if request.query_params.get("watch") in ("1", "true"):
            return "watch"
        return "get" if target.name else "list"
    verb = _VERBS.get(request.method, "")
    if request.method == "DELETE" and not target.name:
        verb = "deletecollection"
    wrong = (verb == "create") == (bool(target.name) and target.part != "eviction") or (
        verb in ("update", "patch") and not target.name
    )
    if (
        not verb
        or target.part == "log"
        or (target.part == "eviction" and verb != "create")
        or (verb in ("create", "update", "patch") and wrong)
    ):
        raise _wrong_method()
    return verb


def _wrong_method() -> Problem:
    words = "the server does not allow this method on the requested resource"
    return Problem(405, "MethodNotAllowed", words, {})


def _json(data: bytes, kind: Kind) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        said = data[:60].decode(errors="replace")
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.name}): couldn't get version/kind; "
            f"json parse error: unexpected end of JSON input ({said})"
        ) from None


def _delete_options(request: Request, body: Object) -> Object:
    options = dict(body)
    words = request.query_params
    for name in ("gracePeriodSeconds", "propagationPolicy"):
        if name in words:
            options[name] = int(words[name]) if name == "gracePeriodSeconds" else words[name]
    policy = options.get("propagationPolicy")
    if policy not in (None, "Orphan", "Background", "Foreground"):
        words_ = (
            f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        )
        raise Problem(
            422, "Invalid", f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: {words_}', {}
        )
    return options


def _unsupported(message: str, details: Object | None = None) -> Problem:
    return Problem(415, "UnsupportedMediaType", message, details)


def _client(request: Request) -> tuple[str, int]:
    client = request.client
    return (client.host, client.port) if client else ("", 0)
