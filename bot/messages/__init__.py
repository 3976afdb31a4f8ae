"""Runs and builds become words: Markdown for GitHub, Block Kit for Slack, lines for the terminal.

What it does: words, and nothing else; pure, with the time as an argument. Whatever came from outside
(names, parameters, log lines, reasons) is shown literally: it can neither ping, link, format, nor
close what surrounds it. Every text keeps the limits of the place that it is for.
"""

from bot.messages.answers import review, verdict_check, verdict_status
from bot.messages.approvals import (
    approved_by,
    changed_meanwhile,
    denied,
    image_unknown,
    needs_yes,
    no_person,
    no_yes_wanted,
    other_door,
    own_commit,
    own_run,
    unknown_another,
    unknown_author,
    voided,
    yes_counts,
    yes_too_late,
)
from bot.messages.checks import CANCEL, LATEST, RERUN, CheckFields, CheckName, CheckNotes, check, in_requests
from bot.messages.comments import comment, marker, terminal, with_marker
from bot.messages.deployments import Standing, deployment_fields, standing
from bot.messages.differences import differences
from bot.messages.mrkdwn import slack_text
from bot.messages.plans import Prospect, Reasons, plan, why
from bot.messages.replies import (
    building,
    end_reply,
    error_reply,
    history,
    job_help,
    joined,
    listing,
    login_elsewhere,
    logs_elsewhere,
    logs_reply,
    not_available,
    not_built,
    on_issue,
    remedy,
    started,
    status_reply,
    stopping,
    unknown_person,
)
from bot.messages.repository_files import (
    changed_file,
    file_annotations,
    file_check,
    file_status,
    wrong_file,
)
from bot.messages.requirements import head_moved, not_met
from bot.messages.slack import PICTURES, Block, Illustrated, below, blocks, durations, job_table
from bot.messages.statuses import StatusFields, status
from bot.messages.text import code, plain
from bot.messages.verdicts import occurrence_note, push_note, reason, tick_note
from bot.messages.view import Beside, View, build_view, image_page, run_view
from bot.messages.waits import locked, locked_already, unlocked, waited_for
from bot.messages.waits import sentence as waiting_for

__all__ = [
    "CANCEL",
    "LATEST",
    "PICTURES",
    "RERUN",
    "Beside",
    "Block",
    "CheckFields",
    "CheckName",
    "CheckNotes",
    "Illustrated",
    "Prospect",
    "Reasons",
    "Standing",
    "StatusFields",
    "View",
    "approved_by",
    "below",
    "blocks",
    "build_view",
    "building",
    "changed_file",
    "changed_meanwhile",
    "check",
    "code",
    "comment",
    "denied",
    "deployment_fields",
    "differences",
    "durations",
    "end_reply",
    "error_reply",
    "file_annotations",
    "file_check",
    "file_status",
    "head_moved",
    "history",
    "image_page",
    "image_unknown",
    "in_requests",
    "job_help",
    "job_table",
    "joined",
    "listing",
    "locked",
    "locked_already",
    "login_elsewhere",
    "logs_elsewhere",
    "logs_reply",
    "marker",
    "needs_yes",
    "no_person",
    "no_yes_wanted",
    "not_available",
    "not_built",
    "not_met",
    "occurrence_note",
    "on_issue",
    "other_door",
    "own_commit",
    "own_run",
    "plain",
    "plan",
    "push_note",
    "reason",
    "remedy",
    "review",
    "run_view",
    "slack_text",
    "standing",
    "started",
    "status",
    "status_reply",
    "stopping",
    "terminal",
    "tick_note",
    "unknown_another",
    "unknown_author",
    "unknown_person",
    "unlocked",
    "verdict_check",
    "verdict_status",
    "voided",
    "waited_for",
    "waiting_for",
    "why",
    "with_marker",
    "wrong_file",
    "yes_counts",
    "yes_too_late",
]
