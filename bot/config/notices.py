"""What a job says of its channel that could tell nobody anything."""

from collections.abc import Mapping
from typing import Any

from bot.catalog.notify import Occasion
from bot.config.document import Document, Path

_OF_SCHEDULES = (Occasion.MISSED, Occasion.OVERLAPPING)


def check_notify(document: Document, name: str, job: Mapping[str, Any]) -> None:
    """Note what the job itself says in vain; what it has from `defaults` may be for others."""
    notify = job.get("notify")
    section = notify if isinstance(notify, dict) else {}
    at: Path = ("jobs", name, "notify")
    when = section.get("when")
    listed = when if isinstance(when, list) else []
    for key in ("when", "who"):
        if section.get(key) and not section.get("slack") and (*at, key) in document.values:
            document.wrong((*at, key), "no channel is told of this job: notify.slack names one", key=True)
    for index, each in enumerate(listed):
        if each in _OF_SCHEDULES and not job.get("schedule") and (*at, "when", index) in document.values:
            document.wrong((*at, "when", index), f"{each} is about a schedule, and this job has none")
    expect: Path = ("jobs", name, "expect")
    if expect in document.values and job.get("expect") is not None and Occasion.SLOW not in listed:
        document.wrong(expect, "nobody is told of it: notify.when has to list slow", key=True)
