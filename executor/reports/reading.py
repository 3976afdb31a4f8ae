"""Understands what a job reported. Pure.

Outputs are written as GitHub's Actions have them: `NAME=value`, or `NAME<<END` before the lines of a value
and `END` after them. The last one of a name counts. Secrets are masked before anything is understood, and
control characters are taken out afterwards, so no secret comes together by that.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from executor.logs.controls import CONTROL
from executor.logs.redaction import Redactor
from executor.reports import files
from executor.spec import Headway, Outcome, Report

MOST_OUTPUTS = 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_BLOCK = re.compile(r"([^=<\s]{1,200})<<(\S{1,200})")
_HEADWAY = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", re.ASCII)
_CUT = "\n\n… (the rest is left out: a summary has at most 64 KiB)"


def report(contents: Mapping[str, bytes], secrets: Sequence[bytes]) -> Report:
    """What the files of a job say; remarks tell what of it does not count."""
    outputs_text, outputs_cut = _text(contents.get(files.OUTPUTS, b""), secrets)
    outputs, remarks = _outputs(outputs_text, is_cut=outputs_cut)
    summary, summary_cut = _text(contents.get(files.SUMMARY, b""), secrets)
    summary = summary.strip("\n")
    if summary_cut:
        summary += _CUT
    now = headway(contents.get(files.PROGRESS, b""), Redactor(secrets))
    return Report(outputs, summary or None, now, tuple(remarks))


def reported(outcome: Outcome, contents: Mapping[str, bytes], secrets: Sequence[bytes]) -> Outcome:
    """Give `outcome` with what the job reported; what of that does not count its message says."""
    found = report(contents, secrets)
    message = " ".join(filter(None, (outcome.message, *found.remarks)))
    return replace(outcome, report=found, message=message or None)


def headway(content: bytes, redactor: Redactor) -> Headway | None:
    """What the last line says that is `N/M`, neither of them a secret; more than all of it is all of it."""
    for line in reversed(redactor.sentence(content.decode(errors="replace")).splitlines()):
        if (match := _HEADWAY.fullmatch(line)) is not None and int(match[2]):
            return Headway(min(int(match[1]), int(match[2])), int(match[2]))
    return None


def _text(content: bytes, secrets: Sequence[bytes]) -> tuple[str, bool]:
    """The text without secrets, and whether its end is missing."""
    redactor = Redactor(secrets)
    text = redactor.feed(content[: files.MOST])
    is_cut = len(content) > files.MOST
    if not is_cut:
        text += redactor.flush()  # of what is cut, what was held back may be the beginning of a secret
    plain = text.decode(errors="ignore" if is_cut else "replace")
    return CONTROL.sub("", plain), is_cut


def _outputs(text: str, *, is_cut: bool) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    remarks: list[str] = []
    lines = text.split("\n")
    if is_cut:
        lines.pop()
        remarks.append("ERRAND_OUTPUTS is longer than 64 KiB: what comes after that was left out.")
    for number, name, value in _pairs(lines):
        if name is None or _NAME.fullmatch(name) is None:
            remarks.append(f"ERRAND_OUTPUTS, line {number}: left out, it is no NAME=value.")
        elif name not in found and len(found) >= MOST_OUTPUTS:
            remarks.append(
                f"ERRAND_OUTPUTS, line {number}: left out, there are {MOST_OUTPUTS} outputs before."
            )
        else:
            found[name] = value
    return found, remarks[:1]


def _pairs(lines: Sequence[str]) -> Iterator[tuple[int, str | None, str]]:
    """Every pair with the number of its line; without a name what is none."""
    at, last = 0, {line: place for place, line in enumerate(lines)}
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line.strip():
            continue
        if (block := _BLOCK.fullmatch(line)) is not None:
            if last.get(block[2], -1) < at:  # looking for an end that is not there, each would see all lines
                yield number, None, ""
                continue
            end = lines.index(block[2], at)
            yield number, block[1], "\n".join(lines[at:end])
            at = end + 1
            continue
        name, equals, value = line.partition("=")
        yield number, name if equals else None, value
