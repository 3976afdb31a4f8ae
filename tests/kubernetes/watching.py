"""Lists in pages and watches from a resource version on.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.kubernetes import selectors
from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Object, Problem, bad_request
from tests.kubernetes.selectors import Chosen
from tests.kubernetes.store import Change, Store


@dataclass(frozen=True)
class Query:
    """What of a kind is asked for."""

    kind: Kind
    namespace: str | None
    chosen: Chosen
    selects: bool
    limit: int = 0
    token: str = ""
    version: str = ""
    bookmarks: bool = False
    timeout: float | None = None


def query(kind: Kind, namespace: str | None, words: dict[str, str]) -> Query:
    """Read a query; raises Problem."""
    labels = selectors.labels(words.get("labelSelector", ""))
    fields = selectors.fields(kind, words.get("fieldSelector", ""))
    seconds = _number(words.get("timeoutSeconds", ""))
    return Query(
        kind,
        namespace,
        lambda item: labels(item) and fields(item),
        bool(words.get("labelSelector") or words.get("fieldSelector")),
        _number(words.get("limit", "")) or 0,
        words.get("continue", ""),
        words.get("resourceVersion", ""),
        words.get("allowWatchBookmarks") in ("true", "1"),
        seconds or None,
    )


def _number(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _version(text: str) -> int:
    try:
        return int(text or "0")
    except ValueError:
        words = (
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
        raise Problem(500, "", words) from None


def page(store: Store, asked: Query) -> Object:
    """Give one page of a list."""
    wanted = _version(asked.version)
    if wanted > store.version:
        words = f"Timeout: Too large resource version: {wanted}, current: {store.version}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise Problem(504, "Timeout", words, {"causes": causes, "retryAfterSeconds": 1})
    after, version = _begin(store, asked.token)
    items = [item for item in store.all(asked.kind, asked.namespace) if asked.chosen(item)]
    items = [item for item in items if _place(item) > after]
    metadata: Object = {"resourceVersion": str(version)}
    if asked.limit and len(items) > asked.limit:
        rest = len(items) - asked.limit
        items = items[: asked.limit]
        token = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": _place(items[-1])})
        metadata["continue"] = base64.urlsafe_b64encode(token.encode()).decode()
        if not asked.selects:
            metadata["remainingItemCount"] = rest
    plain = [
        {name: value for name, value in item.items() if name not in ("kind", "apiVersion")} for item in items
    ]
    return {
        "kind": f"{asked.kind.name}List",
        "apiVersion": asked.kind.version,
        "metadata": metadata,
        "items": plain,
    }


def _begin(store: Store, token: str) -> tuple[list[str], int]:
    if not token:
        return [], store.version
    try:
        said = json.loads(base64.urlsafe_b64decode(token + "=="))
        start, version = list(said["start"]), int(said["rv"])
    except (ValueError, KeyError, TypeError):
        raise bad_request(
            "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value"
        ) from None
    if version < store.oldest:
        raise Problem(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new "
            "list without the continue parameter, or use the continue token in this response to retrieve the "
            "remainder of the results.",
        )
    return start, version


def _place(item: Object) -> list[str]:
    return [item["metadata"].get("namespace", ""), item["metadata"]["name"]]


async def watch(store: Store, asked: Query, *, every: float) -> AsyncIterator[Object]:
    """Give events until the time is over; a bookmark every `every` seconds and at the end."""
    changes: asyncio.Queue[Change] = asyncio.Queue()
    version = _version(asked.version)
    loop = asyncio.get_running_loop()
    until = None if asked.timeout is None else loop.time() + asked.timeout
    end = store.listen(changes.put_nowait)
    try:
        if version == 0:
            for item in store.all(asked.kind, asked.namespace):
                if asked.chosen(item):
                    yield {"type": "ADDED", "object": item}
        else:
            for change in store.since(version):
                for event in _events(change, asked):
                    yield event
        while until is None or loop.time() < until:
            wait = every if until is None else min(every, until - loop.time())
            try:
                async with asyncio.timeout(max(wait, 0.0)):
                    change = await changes.get()
            except TimeoutError:
                if asked.bookmarks:
                    yield _bookmark(asked.kind, store.version)
                continue
            for event in _events(change, asked):
                yield event
    except Problem as problem:
        yield {"type": "ERROR", "object": problem.body()}
    finally:
        end()


def check_age(store: Store, asked: Query) -> None:
    """Raise Problem where a watch asks for what is no longer known."""
    version = _version(asked.version)
    if version and version < store.oldest:
        store.since(version)


def _events(change: Change, asked: Query) -> list[Object]:
    if change.kind != asked.kind:
        return []
    if asked.namespace is not None and change.item["metadata"].get("namespace") != asked.namespace:
        return []
    is_in = change.type != "DELETED" and asked.chosen(change.item)
    was_in = change.before is not None and asked.chosen(change.before)
    match was_in, is_in:
        case True, True:
            return [{"type": "MODIFIED", "object": change.item}]
        case False, True:
            return [{"type": "ADDED", "object": change.item}]
        case True, False:
            return [{"type": "DELETED", "object": change.item}]
        case _:
            return []


def _bookmark(kind: Kind, version: int) -> Object:
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    return {
        "type": "BOOKMARK",
        "object": {"kind": kind.name, "apiVersion": kind.version, "metadata": metadata},
    }
