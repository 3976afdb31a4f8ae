"""Who may, across the file: sets of people that there are not or that go in circles, and who can be asked."""

from collections.abc import Iterator, Mapping

from bot.access.principals import Kind, Principal, member
from bot.config.document import Document, Path, Value
from bot.text.globs import matches
from bot.text.wording import nearest

_GITHUB = frozenset({Kind.ORG, Kind.LEVEL, Kind.ACTIONS})
"""What only GitHub can tell of somebody."""


def check_who(document: Document, data: Mapping[str, Value]) -> None:
    """Add to the mistakes of `document` what does not fit in `allow`, `deny`, `approval` and `people`."""
    people = data.get("people")
    sets = people if isinstance(people, dict) else {}
    for name in sets:
        _check_circle(document, sets, name)
    for path, principal in _named(document, data, sets):
        if principal.kind is Kind.SET and principal.name not in sets:
            near = nearest(principal.name, sets)
            hint = f"; did you mean {near}?" if near else ""
            document.wrong(path, f"there is no set of people called {principal.name}{hint}")
        elif principal.kind in _GITHUB and data.get("github") is None:
            document.wrong(path, "who that is, GitHub is asked: a github section is needed")
        elif principal.kind in (Kind.USER, Kind.GROUP) and data.get("slack") is None:
            document.wrong(path, "who that is, Slack says: a slack section is needed")
        if "deny" in path and principal.kind is Kind.SET and _has_level(sets, principal.name):
            document.wrong(path, f"a permission shuts nobody out, and {principal.name} names one")
    _check_homes(document, data)


def _named(
    document: Document, data: Mapping[str, Value], sets: Mapping[str, Value]
) -> Iterator[tuple[Path, Principal]]:
    """Whom the file names, with the place; what is no principal is told by its own check."""
    lists: dict[Path, Value] = {("people", name): texts for name, texts in sets.items()}
    jobs = data.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        if isinstance(job, dict):
            lists |= {
                document.written(("jobs", name, key)): job[key] for key in ("allow", "deny") if key in job
            }
            approval = job.get("approval")
            if isinstance(approval, dict) and "from" in approval:
                lists[document.written(("jobs", name, "approval", "from"))] = approval["from"]
    for path, texts in lists.items():
        for index, text in enumerate(texts if isinstance(texts, list) else ()):
            principal = _read(text)
            if principal is not None:
                yield (*path, index), principal


def _read(text: Value) -> Principal | None:
    try:
        return member(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _sets_in(sets: Mapping[str, Value], name: str) -> Iterator[tuple[int, str]]:
    texts = sets.get(name)
    for index, text in enumerate(texts if isinstance(texts, list) else ()):
        principal = _read(text)
        if principal is not None and principal.kind is Kind.SET:
            yield index, principal.name


def _reached(sets: Mapping[str, Value], name: str) -> set[str]:
    """The sets that a set names, and those that they name in turn."""
    found: set[str] = set()
    left = [name]
    while left:
        for _, each in _sets_in(sets, left.pop()):
            if each not in found:
                found.add(each)
                left.append(each)
    return found


def _check_circle(document: Document, sets: Mapping[str, Value], name: str) -> None:
    for index, each in _sets_in(sets, name):
        if each == name or name in _reached(sets, each):
            what = f"{name} names {each}" + ("" if each == name else f", which names {name} in turn")
            document.wrong(("people", name, index), f"{what}: sets of people may not go in a circle")


def _has_level(sets: Mapping[str, Value], name: str) -> bool:
    for each in (name, *_reached(sets, name)):
        texts = sets.get(each)
        for text in texts if isinstance(texts, list) else ():
            principal = _read(text)
            if principal is not None and principal.kind is Kind.LEVEL:
                return True
    return False


def _check_homes(document: Document, data: Mapping[str, Value]) -> None:
    """A repository that may not talk to this installation is nobody's home."""
    github, jobs = data.get("github"), data.get("jobs")
    allowed = github.get("repositories") if isinstance(github, dict) else None
    patterns = (
        [each.casefold() for each in allowed if isinstance(each, str)] if isinstance(allowed, list) else []
    )
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        homes = job.get("repositories") if isinstance(job, dict) else None
        path = document.written(("jobs", name, "repositories"))
        for index, home in enumerate(homes if isinstance(homes, list) else ()):
            if not isinstance(home, str) or "/" not in home:
                continue
            if github is None:
                document.wrong((*path, index), "pull requests are GitHub's: a github section is needed")
            elif "*" not in home and not any(matches(each, home.casefold()) for each in patterns):
                document.wrong((*path, index), f"github.repositories does not name {home}")
