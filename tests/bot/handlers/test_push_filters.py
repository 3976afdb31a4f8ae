"""Which pushes rebuild an image, and what is said of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.images import BuildFrom
from bot.events import Push
from bot.handlers.push_filters import decide
from bot.messages import reason


def build(**keys: Any) -> BuildFrom:
    return BuildFrom.model_validate({"repository": "acme/shop"} | keys)


def push(name: str = "main", *, tag: bool = False, changed: set[str] | None = None) -> Push:
    paths = None if changed is None else frozenset(changed)
    why = "a forced push" if changed is None else ""
    return Push("acme/shop", name, "main", "a" * 40, "octocat", False, tag=tag, changed=paths, unclear=why)


@pytest.mark.parametrize(
    ("keys", "pushed", "wanted", "why"),
    [
        ({}, push(), True, "`main` is the default branch"),
        ({}, push("topic"), False, "`topic` is not the default branch"),
        ({"branches": ["release/*"]}, push("release/1"), True, "the branch `release/1` fits `release/*`"),
        ({"branches": ["a", "b"]}, push(), False, "the branch `main` fits none of its `branches` (`a`, `b`)"),
        ({"branches": []}, push(), False, "`branches: []` leaves building to commands"),
        ({}, push("v1", tag=True), False, "it names no `tags`"),
        ({"tags": ["v*"]}, push("v1", tag=True), True, "the tag `v1` fits `v*`"),
        ({"tags": ["v*"]}, push("x", tag=True), False, "the tag `x` fits none of its `tags` (`v*`)"),
        (
            {"tags": ["main"], "branches": []},
            push("main"),
            False,
            "`branches: []` leaves building to commands",
        ),
        ({"paths": ["src/**"]}, push(changed={"src/a/b"}), True, "and a path that fits `src/**` changed"),
        ({"paths": ["src/**"]}, push(changed={"docs/a"}), False, "nothing changed that fits its `paths`"),
        ({"paths": ["**/a"]}, push(changed={"a"}), True, "`**/a` changed"),
        ({"paths": ["src/**"]}, push(), True, "what changed is not known (a forced push)"),
        ({"paths": ["x"], "branches": ["b"]}, push(), False, "none of its `branches`"),
    ],
)
def test_filters_decide_and_say_which_of_them_did(
    keys: dict[str, Any], pushed: Push, wanted: bool, why: str
) -> None:
    verdict = decide(build(**keys), pushed)
    assert verdict.builds is wanted
    assert why in reason(verdict.reason)


_names = st.text("ab/*`<|", min_size=1, max_size=8)


@given(_names, st.booleans(), st.none() | st.sets(_names), st.lists(_names, max_size=3), st.lists(_names))
def test_more_patterns_never_build_less(
    name: str, tag: bool, changed: set[str] | None, patterns: list[str], paths: list[str]
) -> None:
    """And whatever cannot be known never keeps an image from being built."""
    pushed = push(name, tag=tag, changed=changed)
    keys: dict[str, Any] = {"branches": patterns, "tags": patterns} | ({"paths": paths[:90]} if paths else {})
    few = decide(build(**keys), pushed)
    more = decide(build(**keys | {"branches": [*patterns, "**"], "tags": [*patterns, "**"]}), pushed)
    assert more.builds >= few.builds
    assert more.builds or (changed is not None and paths)
    assert "\n" not in reason(few.reason)
