"""Which pushes rebuild an image, and why: `branches`, `tags` and `paths` of its `build`. Pure."""

from dataclasses import dataclass

from bot.catalog.images import BuildFrom
from bot.events import Push
from bot.text.globs import matches
from bot.text.wording import listed, quoted


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a push rebuilds an image; `why` is Markdown that follows "built" or "not built"."""

    wanted: bool
    why: str


def decide(build: BuildFrom, push: Push) -> Verdict:
    """What the filters of `build` say of `push`; where nobody knows what it changed, it is built."""
    named = _by_name(build, push)
    if not named.wanted or not build.paths:
        return named
    if push.changed is None:
        return Verdict(
            True, f"{named.why}; what changed is not known ({push.unclear}), so `paths` let it pass"
        )
    for pattern in build.paths:
        if any(_is_below(pattern, path) for path in push.changed):
            return Verdict(True, f"{named.why}, and a path that fits {quoted(pattern)} changed")
    return Verdict(False, f"nothing changed that fits its `paths` ({listed(build.paths, 5)})")


def _by_name(build: BuildFrom, push: Push) -> Verdict:
    """What the name of the branch or of the tag says."""
    kind, name = ("tag", push.name) if push.tag else ("branch", push.name)
    if not push.tag and build.branches is None:
        wanted = push.name == push.default_branch
        what = "is" if wanted else "is not"
        return Verdict(wanted, f"{quoted(name)} {what} the default branch")
    patterns = build.tags if push.tag else build.branches or ()
    for pattern in patterns:
        if matches(pattern, name):
            return Verdict(True, f"the {kind} {quoted(name)} fits {quoted(pattern)}")
    if not patterns:
        what = "it names no `tags`" if push.tag else "`branches: []` leaves building to commands"
        return Verdict(False, what)
    key = "tags" if push.tag else "branches"
    return Verdict(False, f"the {kind} {quoted(name)} fits none of its `{key}` ({listed(patterns, 5)})")


def _is_below(pattern: str, path: str) -> bool:
    """Whether `path` fits; `**/` at the start may stand for nothing, as everybody expects of it."""
    return matches(pattern, path) or (pattern.startswith("**/") and matches(pattern[3:], path))
