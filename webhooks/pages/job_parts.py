"""What all pages of a job begin with: its name, what it is for, and its tabs."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot.registry import Registry


@dataclass(frozen=True, slots=True)
class Tab:
    """One of a job's pages, and whether it is this one."""

    title: str
    path: str
    current: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a page of the job `name`. `path` is where its first page is."""

    name: str
    path: str
    description: str
    tabs: Sequence[Tab]


def head_of(registry: Registry, name: str, current: str, *, alone: bool = False) -> Head:
    """The head of the page `current` (the last part of its path, empty for the history).

    A job that is no more has its history alone; `alone`: nobody is led from this page to the others.
    """
    entry, path = registry.entry(name), f"/jobs/{quote(name, safe='')}"
    titles = {"": "History"}
    if entry is not None:
        titles = {"run": "Run", **titles}
        if entry.job.schedules:
            titles["schedule"] = "Schedule"
        titles |= {"definition": "Definition", "rules": "Hooks and rules"}
    if alone:
        titles = {current: titles[current]}
    tabs = [Tab(title, f"{path}/{part}" if part else path, part == current) for part, title in titles.items()]
    return Head(name, path, registry.descriptions.get(name, ""), tabs)
