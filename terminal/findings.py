"""What `errand check` found: text for people, JSON for programs, or annotations for GitHub Actions."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from terminal.failures import plain, say
from terminal.printing import document

if TYPE_CHECKING:
    from bot.config.findings import Finding


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def report(findings: Iterable["Finding"], form: Format) -> None:
    """Write them: text to stderr, a finding a line; the others to stdout."""
    match form:
        case Format.TEXT:
            if text := "\n".join(map(str, findings)):
                say(text)
        case Format.JSON:
            listed = [_entry(finding) for finding in findings]
            right = all(entry["level"] != "error" for entry in listed)
            document({"right": right, "findings": listed})
        case Format.GITHUB:
            for finding in findings:
                print(annotation(finding))


def _entry(finding: "Finding") -> dict[str, object]:
    return {
        "level": finding.level,
        "file": finding.file,
        "line": finding.place.line if finding.place else None,
        "column": finding.place.column if finding.place else None,
        "setting": finding.setting or None,
        "message": finding.message,
    }


def annotation(finding: "Finding") -> str:
    """A workflow command: docs.github.com/actions/reference/workflows-and-actions/workflow-commands."""
    properties = {"file": finding.file}
    if finding.place:
        properties |= {"line": str(finding.place.line), "col": str(finding.place.column)}
    written = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    message = ": ".join(filter(None, (finding.setting, finding.message)))
    return f"::{finding.level} {written}::{_data(message)}"


def _data(text: str) -> str:
    """A message: the runner ends it at the line's end, and reads %XX in it."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return plain(escaped)


def _property(text: str) -> str:
    """A property ends at `,` and `:` as well."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
