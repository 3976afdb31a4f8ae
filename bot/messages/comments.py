"""Runs and builds as GitHub comments and as lines of the terminal."""

import re

from bot.messages.chains import Step
from bot.messages.reports import github
from bot.messages.text import ZERO_WIDTH, clean, code, fence, fitting, plain, shortened, url
from bot.messages.view import PARAMETERS, View
from bot.text.vocabulary import moment

COMMENT_CHARACTERS = 65_000  # GitHub takes 65,535; the rest is for the marker and for counting otherwise
TAIL_CHARACTERS = 12_000
SUMMARY_CHARACTERS = 35_000
LINE_CHARACTERS = 2000
_NONCE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def marker(nonce: str) -> str:
    """The invisible line by which a comment is found again."""
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce is letters, digits, - and _")
    return f"<!-- errand:{nonce} -->"


def with_marker(text: str, nonce: str) -> str:
    """A reply's Markdown with its marker, within GitHub's limit."""
    return f"{shortened(text, COMMENT_CHARACTERS)}\n\n{marker(nonce)}"


def comment(view: View, link: str | None, *, nonce: str, command: str = "/job") -> str:
    """The card as a comment. `link` leads to the page of it; `command` is the first word of commands."""
    return with_marker(card(view, link, command=command), nonce)


def terminal(view: View, *, tail: bool = True) -> str:
    """A line; with `tail` the last lines of the log below it, where it did not succeed."""
    line = f"{view.icon} {clean(view.name, 100)} {view.label}#{view.number} {view.verdict}"
    if view.why:
        line += f": {clean(view.why, 500)}"
    if view.bar:
        line += f", {view.bar}"
    lines = fitting(view.tail, limit=TAIL_CHARACTERS, line_limit=500) if tail and view.shows_tail else []
    return "\n".join([line, *(f"    {each}" for each in lines)])


def card(view: View, link: str | None, *, command: str) -> str:
    """A line for the notification, one of facts, what went wrong, and the rest folded away."""
    parts = [headline(view, link), facts(view, link), why(view), chain(view)]
    if view.summary:
        parts.append(github(view.summary, SUMMARY_CHARACTERS))
    if view.shows_tail:
        parts.append(fence(view.tail, limit=TAIL_CHARACTERS))
    parts += [_folded(view), _footer(view, command)]
    return "\n\n".join(part for part in parts if part)


def headline(view: View, link: str | None) -> str:
    """`✅ **migrate** #142 succeeded in 1m 12s`; the number never links to an issue of the repository."""
    number = f"[#{view.number}]({url(link)})" if link else f"#{ZERO_WIDTH}{view.number}"
    line = f"{view.icon} **{plain(view.name, 100)}** {view.label}{number} {view.verdict}"
    if view.result is None and view.why:
        line += f"{view.before_why}{plain(view.why, 300)}"
    return f"{line}, {view.bar}" if view.bar else line


def facts(view: View, link: str | None, *, on_commit: bool = False) -> str:
    """Who, which code, which image, and where more stands; `on_commit` goes without the commit."""
    label, who, after = view.person
    found = [f"{label} {code(who, 100)}{after}"]
    if view.approved:
        found.append("approved by " + ", ".join(code(each, 80) for each in view.approved))
    if view.commit and not on_commit:
        found.append(f"commit {_commit(view)}")
    if on_commit and view.pull is not None and _REPOSITORY.fullmatch(view.repository or ""):
        found.append(f"pull request {view.repository}#{view.pull}")  # GitHub links it by itself
    if view.image:
        name = code(view.image, 100)
        image = f"[{name}]({url(view.image_page)})" if view.image_page else name
        found.append(f"image {image}" + (f" {code(view.digest[:12])}" if view.digest else ""))
    if view.built_by is not None and view.beside.build_link:
        found.append(f"[build {ZERO_WIDTH}{view.built_by}]({url(view.beside.build_link)})")
    if link and view.build_link is None:
        found.append(f"[Log]({url(link)})")
    if view.beside.slack_link:
        found.append(f"[Slack]({url(view.beside.slack_link)})")
    return " · ".join(found)


def why(view: View) -> str:
    """The reason and its sentence, of what has ended."""
    return plain(view.why, 1000) if view.result is not None and view.why else ""


def chain(view: View) -> str:
    """The runs that it is in a row with, each as it stands; itself in bold."""
    return (
        "chain: " + " · ".join(_step(view, each) for each in view.beside.chain) if view.beside.chain else ""
    )


def _step(view: View, step: Step) -> str:
    number = "" if step.number is None else f" #{ZERO_WIDTH}{step.number}"
    name = f"{code(step.job, 60)}{number}"
    shown = f"**{name}**" if step.number is not None and step.number == view.number else name
    why = f" ({plain(step.why.rstrip('.'), 300)})" if step.why else ""
    return f"{step.word.emoji} {shown} {step.word.verb}{why}"


def details(view: View) -> str:
    """What else is worth knowing: moments, what it repeats, and what it was given."""
    found = [f"{label} {code(value, 100)}{after}" for label, value, after in view.facts]
    if view.started_at is not None:
        found.append(f"started {moment(view.started_at)}")
    if view.rerun_of is not None:
        found.append(f"again from {code(f'#{view.rerun_of}')}{'' if view.differs != () else ', exactly'}")
    if view.override:
        found.append(f"in spite of a freeze: {plain(view.override, 200)}")
    lines = [" · ".join(found)]
    if view.differs:
        lines.append("other than there: " + " ".join(code(each) for each in view.differs))
    values = parameters(view)
    if values:
        lines.append("with " + " ".join(code(each) for each in values))
    return "\n\n".join(line for line in lines if line)


def _folded(view: View) -> str:
    """The details, and the command as it was typed."""
    line = view.beside.line
    typed = fence([line], limit=LINE_CHARACTERS + 1, line_limit=LINE_CHARACTERS) if line else ""
    shown = "\n\n".join(part for part in (details(view), typed) if part)
    return f"<details><summary>Details</summary>\n\n{shown}\n\n</details>" if shown else ""


def parameters(view: View) -> list[str]:
    """`NAME=value` for each parameter and the arguments after them, bounded in number and length."""
    values = [f"{clean(key, 60)}={clean(value, 120)}" for key, value in view.parameters[:PARAMETERS]]
    if view.arguments:
        values.append("-- " + clean(" ".join(view.arguments), 180))
    left = len(view.parameters) - PARAMETERS
    return [*values, f"and {left} more"] if left > 0 else values


def _commit(view: View) -> str:
    """The commit; GitHub shortens and links `owner/name@sha` by itself, on every installation of it."""
    commit = view.commit or ""
    if view.repository and _REPOSITORY.fullmatch(view.repository) and _SHA.fullmatch(commit):
        return f"{view.repository}@{commit}"
    return code(commit[:12])


def _footer(view: View, command: str) -> str:
    if view.noun != "run":
        return ""
    if view.waits_for_yes:
        yes, no = (code(f"{command} {verb} #{view.number}") for verb in ("approve", "deny"))
        return f"yes: {yes} · no: {no}"
    if view.result is None:
        return f"stop: {code(f'{command} cancel #{view.number}')}"
    return f"again: {code(f'{command} rerun #{view.number}')}"
