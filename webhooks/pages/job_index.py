"""Which jobs a list shows: what is known of each without the database, and what an address asks for. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from bot.catalog.catalog import Catalog, Job
from executor.spec import Result

PAGE = 50
"""Jobs on one page."""
FLAGS = ("running", "waiting", "paused", "locked", "frozen")
"""What a job may be besides how it ended last."""
GROUPS = ("repository", "image")

_CHARACTERS = 200
"""Of what is searched for; no name is longer."""
_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A job in the list, and the text in which it is found."""

    job: Job
    repository: str | None
    text: str

    @property
    def name(self) -> str:
        """The job's name."""
        return self.job.name

    def value_of(self, group: str) -> str | None:
        """Its repository or its image."""
        return self.repository if group == "repository" else self.job.image


@dataclass(frozen=True, slots=True)
class Wish:
    """What an address asks for: `/jobs?q=mig&result=failed&by=image&page=2`."""

    q: str = ""
    result: str = ""
    repository: str = ""
    image: str = ""
    flags: Collection[str] = field(default_factory=frozenset)
    by: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wish":
        """Of an address's query; what is none of what there may be counts for nothing."""
        result, by, page = query.get("result", ""), query.get("by", ""), query.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
        return cls(
            q=" ".join(query.get("q", "")[:_CHARACTERS].split()),
            result=result if result in {each.value for each in Result} else "",
            repository=query.get("repository", "")[:_CHARACTERS],
            image=query.get("image", "")[:_CHARACTERS],
            flags=frozenset(flag for flag in FLAGS if query.get(flag) == "1"),
            by=by if by in GROUPS else "",
            page=min(max(number, 1), _PAGES),
        )

    def fields(self) -> list[tuple[str, str]]:
        """What it asks for by name, without what asks for nothing."""
        named = [(name, getattr(self, name)) for name in ("q", "result", "repository", "image")]
        flags = [(flag, "1") for flag in FLAGS if flag in self.flags]
        rest = [("by", self.by), ("page", str(self.page) if self.page > 1 else "")]
        return [(name, value) for name, value in [*named, *flags, *rest] if value]

    def address(self, **changes: str | int) -> str:
        """The link with something else asked for, from its first page on unless that is what changes."""
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        query = urlencode(changed.fields())
        return f"/jobs?{query}" if query else "/jobs"

    def toggled(self, flag: str) -> str:
        """The link with a flag asked for, or no more."""
        flags = frozenset(self.flags) ^ {flag}
        query = urlencode(replace(self, flags=flags, page=1).fields())
        return f"/jobs?{query}" if query else "/jobs"


class JobIndex:
    """All jobs of a catalog by name, made once for each catalog that there is."""

    def __init__(self, catalog: Catalog) -> None:
        spelling: dict[str, str] = {}
        for image in catalog.images.values():
            if image.repository is not None:
                spelling.setdefault(image.repository.casefold(), image.repository)
        self.catalog = catalog
        self.entries = [_entry(catalog, spelling, name) for name in sorted(catalog.jobs)]
        self._values = {group: _values(self.entries, group) for group in GROUPS}

    def found(
        self, wish: Wish, seen: Collection[str] | None, among: Sequence[Collection[str]]
    ) -> list[Entry]:
        """The jobs of `seen` (None: all) that an address asks for and that are in each of `among`."""
        if seen is None and not among and not (wish.q or wish.repository or wish.image or wish.by):
            return self.entries
        words = wish.q.casefold().split()
        repository, image = wish.repository.casefold(), wish.image
        found = [
            entry
            for entry in self.entries
            if (seen is None or entry.name in seen)
            and all(word in entry.text for word in words)
            and (not repository or (entry.repository or "").casefold() == repository)
            and (not image or entry.job.image == image)
            and all(entry.name in names for names in among)
        ]
        if wish.by:
            found.sort(key=lambda entry: (entry.value_of(wish.by) is None, entry.value_of(wish.by) or ""))
        return found

    def values_of(self, group: str, seen: Collection[str] | None) -> Sequence[str]:
        """The repositories, or the images, of the jobs of `seen`."""
        if seen is None:
            return self._values[group]
        return _values([entry for entry in self.entries if entry.name in seen], group)


def _values(entries: Sequence[Entry], group: str) -> list[str]:
    return sorted({value for entry in entries if (value := entry.value_of(group))})


def _entry(catalog: Catalog, spelling: Mapping[str, str], name: str) -> Entry:
    job = catalog.jobs[name]
    image = catalog.images.get(job.image) if job.image is not None else None
    repository = None if image is None or image.repository is None else image.repository
    repository = None if repository is None else spelling[repository.casefold()]
    text = " ".join([name, job.description, repository or "", job.image or ""])
    return Entry(job, repository, text.casefold())
