"""What of `repository_jobs` does not fit the rest of the server's file. Works on plain data."""

from collections.abc import Mapping

from bot.catalog.images import is_repository
from bot.config.abilities import kind_of
from bot.config.document import Document, Path, Value
from bot.text.globs import matches
from bot.text.wording import nearest

_DEFINITIONS = ("jobs", "defaults", "images", "sizes", "repository_jobs")
"""Sections whose variables are for jobs; all others are the installation's own."""


def check_repositories(document: Document, data: Mapping[str, Value]) -> None:
    """Add to the mistakes of `document` what has no effect, or gives away what is nobody's."""
    rules = data.get("repository_jobs")
    if not isinstance(rules, dict) or not rules:
        return
    github = data.get("github")
    if not isinstance(github, dict):
        document.wrong(
            ("repository_jobs",), "repositories are GitHub's: a github section is needed", key=True
        )
        return
    listed = github.get("repositories")
    allowed = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    for name, rule in rules.items():
        path: Path = ("repository_jobs", name)
        if is_repository(name) and not any(matches(each.casefold(), name.casefold()) for each in allowed):
            document.wrong(path, f"github.repositories does not let {name} in", key=True)
        if isinstance(rule, dict):
            _check_rule(document, path, rule, data)


def _check_rule(document: Document, path: Path, rule: Mapping[str, Value], data: Mapping[str, Value]) -> None:
    sizes = data.get("sizes")
    known = sizes if isinstance(sizes, dict) else {}
    named = rule.get("sizes")
    for index, size in enumerate(named if isinstance(named, list) else ()):
        if isinstance(size, str) and size not in known:
            near = nearest(size, known)
            hint = f"; did you mean {near}?" if near else ""
            document.wrong((*path, "sizes", index), f"there is no size {size[:60]}{hint}")
    own = {name for at, taken in document.taken.items() if at[0] not in _DEFINITIONS for name in taken}
    if rule.get("service_account") is not None and kind_of(data) not in (None, "kubernetes"):
        what = "only a cluster has service accounts; for this engine.kind has to be kubernetes"
        document.wrong((*path, "service_account"), what, key=True)
    if rule.get("unconfined") is True and kind_of(data) not in (None, "process"):
        document.wrong((*path, "unconfined"), "this engine confines every job; leave this out", key=True)
    secrets = rule.get("secrets")
    for index, name in enumerate(secrets if isinstance(secrets, list) else ()):
        if isinstance(name, str) and name in own:
            what = f"{name} is the installation's own secret, which no repository is given"
            document.wrong((*path, "secrets", index), what)
