"""What is read of Slack's answers: leniently, so that what lacks or is new there breaks nothing."""

from collections.abc import Mapping
from typing import Any


def items(answer: Mapping[str, Any], name: str) -> list[Any]:
    """A list of the answer, empty where there is none."""
    found = answer.get(name)
    return found if isinstance(found, list) else []


def nonce_of(message: object) -> str | None:
    """The nonce in a message's metadata, where it has one."""
    metadata = message.get("metadata") if isinstance(message, Mapping) else None
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    found = payload.get("nonce") if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) else None


def view_id(answer: Mapping[str, Any]) -> str:
    """The id of the view in it, empty where there is none."""
    view = answer.get("view")
    found = view.get("id") if isinstance(view, Mapping) else None
    return found if isinstance(found, str) else ""


def cursor_of(answer: Mapping[str, Any]) -> str | None:
    """Where the next page begins: https://docs.slack.dev/apis/web-api/pagination."""
    metadata = answer.get("response_metadata")
    found = metadata.get("next_cursor") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) and found else None
