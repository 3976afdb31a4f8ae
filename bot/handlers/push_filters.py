"""Which pushes rebuild an image, and why: `branches`, `tags` and `paths` of its `build`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.catalog.images import BuildFrom
from bot.events import Push
from bot.text.globs import matches

_PATTERNS = 5
"""Patterns of a filter that a reason names; of more it tells how many."""


@dataclass(frozen=True, slots=True)
class PushVerdict:
    """Whether a push rebuilds an image; `reason` is a `kind` and what it speaks of, as it is stored."""

    builds: bool
    reason: dict[str, Any]


def decide(build: BuildFrom, push: Push) -> PushVerdict:
    """What the filters of `build` say of `push`; where nobody knows what it changed, it is built."""
    named = _by_name(build, push)
    if named.builds and push.skip:
        return PushVerdict(False, {"kind": "skip", "mark": push.skip})
    if not named.builds or not build.paths:
        return named
    if push.changed is None:
        return replace(named, reason=named.reason | {"unclear": push.unclear})
    for pattern in build.paths:
        if any(_is_below(pattern, path) for path in push.changed):
            return replace(named, reason=named.reason | {"path": pattern})
    return PushVerdict(False, {"kind": "no_path", **_patterns(build.paths)})


def _by_name(build: BuildFrom, push: Push) -> PushVerdict:
    """What the name of the branch or of the tag says."""
    about = {"ref": "tag" if push.tag else "branch", "name": push.name}
    if not push.tag and build.branches is None:
        is_default = push.name == push.default_branch
        return PushVerdict(is_default, {"kind": "default" if is_default else "not_default", **about})
    patterns = build.tags if push.tag else build.branches or ()
    for pattern in patterns:
        if matches(pattern, push.name):
            return PushVerdict(True, {"kind": "fits", **about, "pattern": pattern})
    if not patterns:
        return PushVerdict(False, {"kind": "no_filter", **about})
    return PushVerdict(False, {"kind": "fits_none", **about, **_patterns(patterns)})


def _patterns(patterns: Sequence[str]) -> dict[str, Any]:
    return {"patterns": list(patterns[:_PATTERNS]), "more": max(len(patterns) - _PATTERNS, 0)}


def _is_below(pattern: str, path: str) -> bool:
    """Whether `path` fits; `**/` at the start may stand for nothing, as everybody expects of it."""
    return matches(pattern, path) or (pattern.startswith("**/") and matches(pattern[3:], path))
