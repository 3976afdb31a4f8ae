"""Runs and schedules in one line each, as lists and the Home show them."""

from bot.messages.mrkdwn import date, literal, span
from bot.messages.slack.overviews import RunLine, ScheduleLine
from bot.text import vocabulary


def asked_text(line: RunLine) -> str:
    """Who asked for it, and when it began or ended."""
    view = line.view
    label, who, how = view.person
    text = f"{label} {span(who, 100)}{how}"
    if view.finished_at is not None and view.result is not None:
        return f"{text} · ended {date(view.finished_at)}"
    return f"{text} · started {date(view.started_at)}" if view.started_at is not None else text


def schedule_text(line: ScheduleLine) -> str:
    """When a schedule starts its job next, in the reader's own zone, and what people hold back."""
    by = span(vocabulary.who(line.paused_by), 80) if line.paused_by is not None else ""
    parts: list[str] = []
    if line.by_definition:
        parts.append("⏸️ paused by its definition")
    elif line.paused_by is not None:
        until = f" until {date(line.paused_until)}" if line.paused_until is not None else ""
        why = f": {literal(line.paused_why, 200)}" if line.paused_why else ""
        parts.append(f"⏸️ paused by {by}{until}{why}")
    if line.skipped_at is not None:
        parts.append(f"leaves out {date(line.skipped_at)}")
    if line.next_at is not None:
        parts.append(f"next {date(line.next_at)}")
    return ", ".join(parts) or "no further time"
