"""What an app may say: arguments of calls, the content of a message, a view; or Slack's own error."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from demo.blocks import InvalidBlocks, check_blocks, check_view
from demo.slack.errors import SlackError
from demo.slack.workspace import Json

TEXT_CHARACTERS = 40_000
BLOCKS_CHARACTERS = 12_000  # of all blocks together; Slack documents no limit and has one hereabouts
METADATA_BYTES = 16_384
VIEW_BYTES = 250_000
PAGE = 100

_COUNTED_ELSEWHERE = ("markdown", "table", "data_table", "data_visualization")
_NESTED = ("blocks", "metadata", "attachments", "view", "unfurls")


async def arguments_of(request: Request) -> Json:
    """The call's arguments from the query, a form or JSON; nested ones of the first two are JSON texts."""
    arguments: Json = dict(request.query_params)
    body = await request.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if media == "application/json":
            arguments |= json.loads(body or b"{}")
        elif media == "application/x-www-form-urlencoded":
            arguments |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        for name in _NESTED:
            if isinstance(arguments.get(name), str):
                arguments[name] = json.loads(arguments[name])
    except (ValueError, TypeError):
        raise SlackError("invalid_json") from None
    return arguments


def message_content(arguments: Mapping[str, Any], refused: set[str]) -> tuple[str, list[Json]]:
    """The text and the blocks of a message; `refused` are types of block that the workspace does not take.

    https://docs.slack.dev/reference/methods/chat.postMessage#errors
    """
    text, blocks = arguments.get("text") or "", arguments.get("blocks") or []
    if not isinstance(text, str):
        raise SlackError("invalid_arguments")
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > TEXT_CHARACTERS:
        raise SlackError("msg_too_long")
    try:
        check_blocks(blocks, refused=refused)
    except InvalidBlocks as error:
        raise SlackError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {error}"]}) from None
    counted = [each for each in blocks if each["type"] not in _COUNTED_ELSEWHERE]
    if len(json.dumps(counted, ensure_ascii=False)) > BLOCKS_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    return text, blocks


def view_content(view: Any, kinds: Sequence[str], refused: set[str]) -> Json:
    """A view that Slack would show. https://docs.slack.dev/reference/views"""
    try:
        check_view(view, kinds=kinds, refused=refused)
    except InvalidBlocks as error:
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {error}"]}) from None
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    content: Json = view
    return content


def metadata_of(arguments: Json) -> Json | None:
    """The metadata of a message. https://docs.slack.dev/messaging/message-metadata"""
    metadata = arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata["event_type"], str) or not isinstance(metadata["event_payload"], dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def page_of(items: list[Any], arguments: Json) -> tuple[list[Any], str]:
    """A page of at most `limit`, and the cursor of the next (empty at the end)."""
    size = min(max(int(number_of(arguments, "limit", PAGE)), 1), 999)
    start = int(number_of(arguments, "cursor", 0.0))
    end = start + size
    return items[start:end], str(end) if end < len(items) else ""


def number_of(arguments: Json, name: str, default: float) -> float:
    """An argument that is a number."""
    value = arguments.get(name)
    if value in (None, ""):
        return default
    try:
        return float(str(value))
    except ValueError:
        raise SlackError("invalid_cursor" if name == "cursor" else "invalid_arguments") from None


def flag_of(arguments: Json, name: str) -> bool:
    """An argument that is true or false."""
    return str(arguments.get(name, "")).lower() in ("true", "1")
