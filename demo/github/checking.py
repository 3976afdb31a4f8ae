"""What GitHub accepts in the fields of check runs, statuses and comments.

https://docs.github.com/rest/checks/runs and https://docs.github.com/rest/commits/statuses
"""

import re
from typing import Any

from demo.github.access import ApiError, invalid
from demo.github.state import Check

COMMENT_CHARACTERS = 65_536
OUTPUT_CHARACTERS = 65_535
DESCRIPTION_CHARACTERS = 140
CONTEXT_CHARACTERS = 255
STATUSES = 1000  # of one context on one commit
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
_CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
_FIELDS = {
    "name",
    "head_sha",
    "status",
    "conclusion",
    "details_url",
    "external_id",
    "started_at",
    "completed_at",
    "output",
    "actions",
}
_OUTPUT = {"title", "summary", "text", "annotations", "images"}
_BUTTON = {"label": 20, "description": 40, "identifier": 20}
BUTTONS = 3
ANNOTATIONS = 50  # of one request
_ANNOTATION = {
    "path",
    "start_line",
    "end_line",
    "start_column",
    "end_column",
    "annotation_level",
    "message",
    "title",
    "raw_details",
}


def text(body: Any, field: str, resource: str, *, required: bool = False) -> str | None:
    """The string at `field`; 422 where it is something else, or missing and required."""
    value = body.get(field)
    if value is None and not required:
        return None
    if not isinstance(value, str) or (required and not value.strip()):
        raise invalid(resource, field, "missing_field" if value in (None, "") else "invalid")
    return value


def comment_body(body: Any) -> str:
    """The text of a comment."""
    value = body.get("body")
    if not isinstance(value, str):
        raise ApiError(422, 'Invalid request.\n\n"body" wasn\'t supplied.')
    if not value.strip():
        raise invalid("IssueComment", "body", "missing_field", "Body can't be blank")
    if len(value) > COMMENT_CHARACTERS:
        message = f"Body is too long (maximum is {COMMENT_CHARACTERS} characters)"
        raise invalid("IssueComment", "data", "unprocessable", message)
    return value


def address(body: Any, field: str, resource: str) -> str | None:
    """A link; http and https only."""
    value = text(body, field, resource)
    if value is not None and not re.match(r"https?://[^\s]+$", value):
        raise invalid(resource, field, "custom", f"{field} must use http(s) scheme")
    return value


def status_fields(body: Any) -> tuple[str, str, str | None, str | None]:
    """State, context, description and target of a commit status."""
    state = body.get("state")
    if state not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state", "custom", "state is not included in the list")
    description = text(body, "description", "Status")
    if description is not None and len(description) > DESCRIPTION_CHARACTERS:
        message = f"description is too long (maximum is {DESCRIPTION_CHARACTERS} characters)"
        raise invalid("Status", "description", "custom", message)
    if description is not None and any(ord(character) > 0xFFFF for character in description):
        raise invalid("Status", "description", "custom", "description doesn't accept 4-byte Unicode")
    context = text(body, "context", "Status") or "default"
    if len(context) > CONTEXT_CHARACTERS:
        message = f"context is too long (maximum is {CONTEXT_CHARACTERS} characters)"
        raise invalid("Status", "context", "custom", message)
    return state, context, description, address(body, "target_url", "Status")


def fill_check(check: Check, body: Any) -> None:
    """Put the fields of a request into `check`; 422 for what GitHub refuses, and then nothing is changed."""
    unknown = set(body) - _FIELDS
    if unknown:
        raise ApiError(422, f'Invalid request.\n\n"{min(unknown)}" is not a permitted key.')
    status, conclusion = _standing(check, body)
    name = text(body, "name", "CheckRun", required="name" in body)
    details = address(body, "details_url", "CheckRun")
    output = _output(body.get("output"))
    annotations = _annotations(body.get("output") or {})
    actions = _actions(body)
    times = {field: _time(body, field) for field in ("started_at", "completed_at")}
    external_id = text(body, "external_id", "CheckRun")
    check.status, check.conclusion = status, conclusion
    check.name = name if name is not None else check.name
    check.details_url = details if details is not None else check.details_url
    check.external_id = external_id if external_id is not None else check.external_id
    check.output = {**check.output, **output}
    check.annotations += annotations  # each request adds some
    check.actions = check.actions if actions is None else actions
    check.started_at = times["started_at"] or check.started_at
    check.completed_at = (times["completed_at"] or check.completed_at) if status == "completed" else None
    if not check.history or check.history[-1] != (status, conclusion):
        check.history.append((status, conclusion))


def _standing(check: Check, body: Any) -> tuple[str, str | None]:
    conclusion = body.get("conclusion")
    status = body.get("status", "completed" if conclusion else check.status)
    if status not in ("queued", "in_progress", "completed"):
        raise ApiError(
            422, f"Invalid request.\n\n{status} is not a member of queued, in_progress, completed."
        )
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise ApiError(422, f"Invalid request.\n\n{conclusion} is not a possible conclusion.")
    if conclusion is not None:
        return "completed", conclusion
    if status == "completed" and check.conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    if body.get("completed_at") is not None and status != "completed":
        raise invalid("CheckRun", "conclusion", "missing_field")
    return status, check.conclusion if status == "completed" else None


def _output(output: Any) -> dict[str, str | None]:
    if output is None:
        return {}
    if not isinstance(output, dict):
        raise ApiError(422, "Invalid request.\n\noutput is not an object.")
    missing = [field for field in ("title", "summary") if not isinstance(output.get(field), str)]
    if missing:
        named = ", ".join(f'"{field}"' for field in missing)
        raise ApiError(422, f"Invalid request.\n\n{named} weren't supplied.")
    if set(output) - _OUTPUT:
        raise ApiError(422, f'Invalid request.\n\n"{min(set(output) - _OUTPUT)}" is not a permitted key.')
    found: dict[str, str | None] = {}
    for field in ("title", "summary", "text"):
        value = text(output, field, "CheckRun")
        if value is None:
            continue
        if max(len(value), len(value.encode("utf-8", "replace"))) > OUTPUT_CHARACTERS:
            raise ApiError(
                422,
                f"Invalid request.\n\nOnly {OUTPUT_CHARACTERS} characters are allowed; "
                f"{len(value)} were supplied.",
            )
        found[field] = value
    return found


def _actions(body: Any) -> list[dict[str, str]] | None:
    actions = body.get("actions")
    if actions is None:
        return None
    if not isinstance(actions, list) or len(actions) > BUTTONS:
        raise ApiError(422, f"Invalid request.\n\nNo more than {BUTTONS} items are allowed.")
    for action in actions:
        if not isinstance(action, dict) or set(action) != set(_BUTTON):
            raise ApiError(422, "Invalid request.\n\nAn action has a label, a description, an identifier.")
        for name, most in _BUTTON.items():
            if not isinstance(action[name], str) or not 0 < len(action[name]) <= most:
                raise ApiError(422, f"Invalid request.\n\n{name}: at most {most} characters are allowed.")
    return [dict(action) for action in actions]


def _annotations(output: Any) -> list[dict[str, object]]:
    found = output.get("annotations", [])
    if not isinstance(found, list) or len(found) > ANNOTATIONS:
        raise ApiError(422, f"Invalid request.\n\nNo more than {ANNOTATIONS} items are allowed.")
    return [_annotation(each) for each in found]


def _annotation(each: Any) -> dict[str, object]:
    """https://docs.github.com/rest/checks/runs#create-a-check-run: `annotations` of `output`."""
    if not isinstance(each, dict) or set(each) - _ANNOTATION:
        raise ApiError(422, "Invalid request.\n\nThat is no annotation.")
    lines, columns = ("start_line", "end_line"), ("start_column", "end_column")
    for name in (*lines, *columns):
        number = each.get(name)
        if (number is not None or name in lines) and (not isinstance(number, int) or number < 0):
            raise invalid("CheckRun", name, "invalid")
    if any(name in each for name in columns) and each["start_line"] != each["end_line"]:
        raise invalid("CheckRun", "start_column", "custom", "columns are for annotations of one line")
    if each.get("annotation_level") not in ("notice", "warning", "failure"):
        raise invalid("CheckRun", "annotation_level", "invalid")
    for name, most in {"path": 4096, "message": 65_536, "title": 255, "raw_details": 65_536}.items():
        value = each.get(name)
        if (value is not None or name in ("path", "message")) and (
            not isinstance(value, str) or not 0 < len(value.encode()) <= most
        ):
            raise invalid("CheckRun", name, "invalid")
    return dict(each)


def _time(body: Any, field: str) -> str | None:
    value = text(body, field, "CheckRun")
    if value is not None and not _TIME.fullmatch(value):
        raise ApiError(422, f"Invalid request.\n\n{value} is not a valid date-time.")
    return value
