"""Definitions in a text of their own, before they are sent: which jobs, and where each thing stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from bot.config.document import Document, Path, Value, path_text, read
from bot.config.findings import Finding, Invalid, findings_of
from bot.text.names import job_name


@dataclass(frozen=True, slots=True)
class DefinitionText:
    """Definitions as they stand in a text that is called `name`: a file, or what somebody sent.

    `jobs` has them by the names of the jobs; `above` is where each of them stands in the document.
    """

    name: str
    document: Document
    jobs: Mapping[str, Mapping[str, Value]]
    above: Mapping[str, Path]

    def finding(self, job: str, place: Sequence[str], message: str) -> Finding:
        """What is wrong at a place within a definition (its names, and numbers of lists from 0)."""
        path: Path = self.above[job]
        value: Value = dict(self.jobs[job])
        for part in place:
            step: str | int = int(part) if isinstance(value, list) and part.isdecimal() else part
            path = (*path, step)
            if isinstance(value, list):
                value = value[step] if isinstance(step, int) and step < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        unknown = not place or message.startswith("unknown")
        return Finding(self.name, message, self.document.place(path, key=unknown), path_text(path))


def definitions_of(name: str, content: bytes) -> DefinitionText:
    """The jobs of a text, YAML or JSON: under `jobs:` by name, or one with its `name`.

    `Invalid` with what keeps it from being read; whether they are right is for the service to say.
    """
    document = read(content)
    data = document.data
    if not document.mistakes and isinstance(data, dict):
        jobs = data.get("jobs")
        if isinstance(jobs, dict) and len(data) == 1:
            single = [job for job, keys in jobs.items() if not isinstance(keys, dict)]
            for job in single:
                document.wrong(("jobs", job), "expected keys of a job")
            for job in jobs:
                _check_name(document, ("jobs", job), job)
            if jobs and not document.mistakes:
                several = {job: keys for job, keys in jobs.items() if isinstance(keys, dict)}
                return DefinitionText(name, document, several, {job: ("jobs", job) for job in several})
        elif isinstance(own := data.pop("name", None), str) and own and "jobs" not in data:
            _check_name(document, ("name",), own)
            if not document.mistakes:
                return DefinitionText(name, document, {own: data}, {own: ()})
    if not document.mistakes:
        document.wrong((), "expected jobs: with names and definitions, or one job with its name")
    raise Invalid(findings_of(FilePath(name), document.mistakes))


def _check_name(document: Document, path: Path, name: str) -> None:
    """A name is a part of the address that its definition is sent to."""
    try:
        job_name(name)
    except ValueError as error:
        document.wrong(path, f"{error}, not {name[:60]!r}", key=path[0] == "jobs")
