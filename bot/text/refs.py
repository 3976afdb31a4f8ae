"""Names of branches, tags and commits as git has them. Pure.

The rules are git's own: https://git-scm.com/docs/git-check-ref-format
"""

import re

LONGEST = 255
"""Characters of a name."""

OF_FORK = ":"
"""Between a fork and its branch in the ref of a run or a build; no branch or tag has it in its name."""

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|$)|(^|/)\.|\.$|^/|/$|^-|^@$")
_SHORT_SHA = re.compile(r"[0-9a-fA-F]{4,64}")
_FULL_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PULL = re.compile(r"(?:refs/)?pull/[0-9]{1,18}/(?:head|merge)", re.ASCII)
_KINDS = {"heads": "heads/", "tags": "tags/"}


def is_name(text: str) -> bool:
    """Whether a branch, a tag or a commit can be called `text`."""
    return 0 < len(text) <= LONGEST and _FORBIDDEN.search(text) is None and _is_unicode(text)


def is_full_sha(text: str) -> bool:
    """Whether `text` is a whole SHA, which GitHub lets no branch and no tag be called."""
    return _FULL_SHA.fullmatch(text) is not None


def is_sha(text: str) -> bool:
    """Whether `text` may be a SHA or its beginning."""
    return _SHORT_SHA.fullmatch(text) is not None


def is_pull(text: str) -> bool:
    """Whether `text` is the name under which GitHub keeps the commits of a pull request."""
    return _PULL.fullmatch(text) is not None


def is_of_fork(ref: str | None) -> bool:
    """Whether the stored ref of a run or a build says that its code is a fork's."""
    return OF_FORK in (ref or "")


def meanings(text: str) -> list[tuple[str, str]]:
    """What else `text` may mean but a branch or a tag of just that name: `heads` or `tags`, and the name."""
    rest = text.removeprefix("refs/")
    candidates = [
        (kind, rest.removeprefix(start)) for kind, start in _KINDS.items() if rest.startswith(start)
    ]
    return [(kind, name) for kind, name in candidates if is_name(name)]


def _is_unicode(text: str) -> bool:
    """Half of a surrogate pair, as JSON can hold, is no character and cannot be sent."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
