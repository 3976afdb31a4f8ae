"""Whatever a payload holds, it is read or ignored; nothing in it becomes more than what it says."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot import events
from bot.catalog.triggers import KINDS, Entry, starts
from bot.events.occurrence_readers import READERS
from bot.tables import Delivery
from bot.text import refs
from demo import happenings, payloads

SHOP, SHA = "acme/shop", "a" * 40
DEPLOYMENT = happenings.deployment(SHOP, 5, SHA, "production", payload={"a": 1})
KNOWN: dict[str, dict[str, Any]] = {
    "deployment": DEPLOYMENT,
    "deployment_status": happenings.deployment_status(DEPLOYMENT, 6, "success"),
    "deployment_protection_rule": happenings.protection_rule(
        DEPLOYMENT, "production", 7, "https://api.github.com"
    ),
    "release": happenings.release(SHOP, 8, "v1"),
    "pull_request": payloads.pull_request(SHOP, 7, SHA, "topic"),
    "workflow_run": happenings.workflow_run(SHOP, 9, SHA),
    "merge_group": happenings.merge_group(SHOP, SHA),
    "repository_dispatch": happenings.repository_dispatch(
        SHOP, "errand", {"job": "deploy", "parameters": {"A": "b"}}
    ),
}
_ON: list[object] = [
    "push",
    "merge_group",
    {"deployment": "**"},
    {"deployment_status": "success"},
    {"protection_rule": "**"},
    {"release": "published"},
    {"tag": "**"},
    {"pull_request": ["opened", {"labeled": "**"}]},
    {"workflow": "**", "branches": ["**"]},
    {"repository_dispatch": "**"},
]
ENTRIES = TypeAdapter(tuple[Entry, ...]).validate_python(_ON)
_TEXTS = st.sampled_from(
    ["", "refs/heads/../x", "\0", "\ud800", "x" * 3000, "v1", "created", "-rf", "a" * 40, "A" * 40, "1"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def read(event: str, payload: object) -> events.Event:
    body = json.dumps(payload).encode()
    return events.read(
        Delivery(
            key="github:1",
            source="github",
            event=event,
            media_type="application/json",
            body=body,
            received_at=0.0,
        )
    )


def _paths(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    return found


def _put(payload: dict[str, Any], path: tuple[str, ...], value: object, *, remove: bool) -> None:
    at: Any = payload
    for key in path[:-1]:
        if not isinstance(at, dict) or key not in at:
            return
        at = at[key]
    if isinstance(at, dict) and remove:
        at.pop(path[-1], None)
    elif isinstance(at, dict):
        at[path[-1]] = value


def _holds(happened: events.Occurrence, payload: dict[str, Any]) -> None:
    """What whoever handles it may rely on."""
    assert happened.commit == "" or refs.is_full_sha(happened.commit)
    assert happened.ref == "" or refs.is_name(happened.ref)
    assert happened.commit or happened.event in ("release", "repository_dispatch")
    assert len(happened.key) < 2000
    assert len(happened.environment) <= 255
    texts = [
        happened.subject,
        happened.key,
        happened.environment,
        happened.sender,
        *happened.parameters.values(),
    ]
    assert not any("\0" in text or "\ud800" in text for text in texts)
    json.dumps(texts).encode()
    if happened.event == "pull_request" and happened.own:
        head = payload["pull_request"]["head"]["repo"]
        assert head["id"] == payload["repository"]["id"] or head["full_name"].lower() == SHOP


@pytest.mark.parametrize("event", READERS)
def test_event_as_github_tells_it_is_read(event: str) -> None:
    happened = read(event, KNOWN[event])
    assert isinstance(happened, events.Occurrence)
    _holds(happened, KNOWN[event])
    assert happened.repository == SHOP
    assert starts(ENTRIES, "deploy", happened)


@given(data=st.data(), event=st.sampled_from(sorted(READERS)))
def test_field_of_another_kind_never_raises_and_is_never_taken_for_another_thing(
    data: st.DataObject, event: str
) -> None:
    payload = deepcopy(KNOWN[event])
    for path in data.draw(st.lists(st.sampled_from(_paths(payload)), min_size=1, max_size=3)):
        _put(payload, path, data.draw(_JSON), remove=data.draw(st.booleans()))
    happened = read(event, payload)
    assert isinstance(happened, events.Occurrence | events.Ignored)
    if isinstance(happened, events.Occurrence):
        _holds(happened, payload)
        starts(ENTRIES, "deploy", happened)


@pytest.mark.parametrize("event", READERS)
@pytest.mark.parametrize("body", [[], None, 1, "x", {}, {"action": None}, {"action": "created"}])
def test_what_is_no_such_event_is_ignored(event: str, body: object) -> None:
    assert isinstance(read(event, body), events.Ignored)


@pytest.mark.parametrize("event", sorted(set(READERS) - {"repository_dispatch"}))
def test_action_of_a_later_github_starts_nothing(event: str) -> None:
    happened = read(event, KNOWN[event] | {"action": "reconsidered"})
    assert happened == events.Ignored("it was reconsidered, which starts nothing")


def test_payload_that_is_too_large_starts_nothing() -> None:
    payload = happenings.deployment(SHOP, 5, SHA, "production", payload={"a": "x" * (256 * 1024)})
    assert read("deployment", payload) == events.Ignored("its payload is larger than 256 KiB")
    payload = happenings.deployment(SHOP, 5, SHA, "production", payload="{}\0")
    happened = read("deployment", payload)
    assert isinstance(happened, events.Occurrence)
    assert happened.payload == '"{}\\u0000"'


def test_workflow_is_known_by_its_name_and_its_file_and_runs_on_the_default_branch_alone() -> None:
    happened = read("workflow_run", KNOWN["workflow_run"])
    assert isinstance(happened, events.Occurrence)
    workflow = KINDS["workflow"].model_validate
    for name, fits in (("CI", True), ("C*", True), ("ci.yml", True), ("ci", False), ("i.yml", False)):
        assert workflow({"workflow": name}).fits(happened) is fits
    other = read("workflow_run", happenings.workflow_run(SHOP, 9, SHA, branch="topic"))
    assert isinstance(other, events.Occurrence)
    assert not workflow({"workflow": "CI"}).fits(other)
    assert workflow({"workflow": "CI", "branches": ["top*"]}).fits(other)
    # A branch may be called as nothing is.
    none = read("workflow_run", {**KNOWN["workflow_run"], "repository": {"full_name": SHOP}})
    assert isinstance(none, events.Occurrence)
    assert not workflow({"workflow": "CI"}).fits(none)


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", "a\u202eb", "\u200b"])
def test_name_that_somebody_chose_is_one_line_in_which_everything_is_seen(name: str) -> None:
    payload = happenings.deployment(SHOP, 5, SHA, name)
    happened = read("deployment", payload)
    assert isinstance(happened, events.Occurrence)
    assert happened.subject.isprintable()
    assert happened.environment == name
