"""Which reader a delivery is for, and what cannot be read."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from pydantic import ValidationError

from bot.events import checks, comments, occurrence_readers, pushes, repositories
from bot.events.facts import Event, Ignored
from bot.events.fields import Unreadable
from bot.tables import Delivery

MAX_FIELDS = 100
"""Form fields read of one delivery; GitHub sends one."""

_READERS: Mapping[str, Callable[[object], Event]] = {
    "push": pushes.read,
    "issue_comment": comments.read,
    "pull_request_review": comments.read_review,
    "pull_request_review_comment": comments.read_on_line,
    "repository": repositories.read,
    "check_run": checks.read_run,
    "check_suite": checks.read_suite,
}
"""By GitHub's name of the event."""


def is_read(event: str) -> bool:
    """Whether GitHub's event of this name says anything to Errand."""
    return event in _READERS or event in occurrence_readers.READERS


def read(delivery: Delivery) -> Event:
    """The fact in `delivery`; a payload that cannot be read is ignored with the reason, never an error.

    Takes a while for a large one.
    """
    try:
        if delivery.event in occurrence_readers.READERS:
            return occurrence_readers.read(delivery.event, _github_payload(delivery), delivery.key)
        reader = _READERS.get(delivery.event)
        if reader is None:
            return Ignored(f"nothing here listens to {delivery.event}")
        return reader(_github_payload(delivery))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        return Ignored(f"the payload lacks what is needed, first: {where}")
    except Unreadable as error:
        return Ignored(str(error))
    except (ValueError, RecursionError) as error:
        return Ignored(f"the payload cannot be read: {type(error).__name__}")


def _form(body: bytes) -> dict[str, str]:
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    return {name: values[0] for name, values in fields.items()}


def _github_payload(delivery: Delivery) -> object:
    if delivery.media_type == "application/x-www-form-urlencoded":
        body = _form(delivery.body).get("payload", "").encode(errors="surrogatepass")
    else:
        body = delivery.body
    return pushes.payload_of(body) if delivery.event == "push" else json.loads(body)
