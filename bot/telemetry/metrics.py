"""What is counted, and how it is named for Prometheus. Label values are few, whatever arrives."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
)

from bot.states import APPROVAL_EXPIRED, APPROVAL_VOIDED, DENIED, State
from bot.tables import Build, Run

REGISTRY = CollectorRegistry()
"""All of Errand's metrics, and what is known of its process."""

EVENTS = frozenset(
    {
        # Slack's, as the door calls them
        "command", "event", "interactivity",
        # GitHub's, of which only these mean something to Errand
        "check_run", "check_suite", "create", "delete", "deployment", "deployment_protection_rule",
        "deployment_status", "installation", "installation_repositories", "issue_comment", "issues",
        "merge_group", "ping",
        "pull_request", "pull_request_review", "pull_request_review_comment", "push", "registry_package",
        "release", "repository", "repository_dispatch", "status", "workflow_dispatch", "workflow_job",
        "workflow_run",
    }
)  # fmt: skip
"""Events that are counted under their own name; every other is `other`."""

PEOPLE = 1000
"""Sets of names under which approvals are counted."""

UNVERIFIED = "unverified"
"""The event of a request that was refused before its signature was found good."""

DELIVERIES = Counter(
    "errand_deliveries",
    "Requests at the webhook doors by source, event and outcome.",
    ["source", "event", "outcome"],
    registry=REGISTRY,
)
RUNS = Counter("errand_runs", "Finished runs by job and result.", ["job", "result"], registry=REGISTRY)
RUN_SECONDS = Histogram(
    "errand_run_seconds",
    "How long runs took, from the start of their process to its end.",
    ["job"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600, 14400, 86400),
    registry=REGISTRY,
)
APPROVALS = Counter(
    "errand_approvals",
    "Ended runs that needed a yes, by job, what became of that, who asked and who said yes or no.",
    ["job", "outcome", "asked_by", "answered_by"],
    registry=REGISTRY,
)
TICKS = Counter(
    "errand_ticks", "Due moments of schedules by what became of them.", ["outcome"], registry=REGISTRY
)
BUILDS = Counter(
    "errand_builds", "Finished builds by image and result.", ["image", "result"], registry=REGISTRY
)
POSTS = Counter(
    "errand_posts", "Attempts to say something by kind and outcome.", ["kind", "outcome"], registry=REGISTRY
)
RATE_REMAINING = Gauge(
    "errand_github_rate_remaining",
    "Requests that GitHub still takes in this hour, by who asks and which limit counts.",
    ["credential", "resource"],
    registry=REGISTRY,
)
RIVALS = Counter(
    "errand_repository_rivals",
    "What was refused because its repository has a name that was another one's, by where it came in.",
    ["door"],
    registry=REGISTRY,
)
SLACK_CONNECTIONS = Gauge(
    "errand_slack_connections",
    "Connections of Socket Mode that Slack has greeted: one, and two while one takes the other's place.",
    registry=REGISTRY,
)
SLACK_FAULTS = Gauge(
    "errand_slack_faults",
    "What has to be mended in Slack, by the error that it answers; the log says what to do.",
    ["error"],
    registry=REGISTRY,
)
START_SECONDS = Histogram(
    "errand_start_seconds",
    "From the moment a run was accepted to the start of its process.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
    registry=REGISTRY,
)
ANSWER_SECONDS = Histogram(
    "errand_answer_seconds",
    "From the end of a run to the answer that says it, by the kind of post.",
    ["kind"],
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800),
    registry=REGISTRY,
)
QUEUE = Gauge(
    "errand_queue_depth",
    "Rows that are not yet done with, by table and state.",
    ["queue", "state"],
    registry=REGISTRY,
)

_people: set[tuple[str, str, str, str]] = set()
"""Those that were counted."""

for _collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
    REGISTRY.register(_collector)


def count_delivery(source: str, event: str, outcome: str) -> None:
    """Count one request at a door; `outcome` is `stored`, `answered` or why it was refused."""
    label = event if event in EVENTS or event == UNVERIFIED else "other"
    _delivery_counter(source, label, outcome).inc()


@cache  # bounded as the labels are; looking a child up by labels takes longer than counting
def _delivery_counter(source: str, event: str, outcome: str) -> Counter:
    return DELIVERIES.labels(source, event, outcome)


def count_rival(door: str) -> None:
    """Count what was refused of who has another one's name: a `delivery`, a `workflow` or an `answer`."""
    RIVALS.labels(door).inc()


def count_end(row: Run | Build) -> None:
    """Count a run or build that has just ended; anything else is left alone."""
    if row.state != State.FINISHED:
        return
    if row.kind == "build":
        BUILDS.labels(row.image, row.result).inc()
        return
    RUNS.labels(row.job, row.result).inc()
    if row.approval is not None:
        _count_approval(row, row.approval)
    if row.started_at is not None and row.finished_at is not None:
        RUN_SECONDS.labels(row.job).observe(max(row.finished_at - row.started_at, 0.0))


def _count_approval(run: Run, approval: Mapping[str, Any]) -> None:
    """Count a run that needed a yes, for each who gave one; beyond `PEOPLE` sets of names without them."""
    ended = {DENIED: "denied", APPROVAL_EXPIRED: "expired", APPROVAL_VOIDED: "voided"}
    approvers = [str(each["actor"]) for each in approval.get("given", ())]
    outcome = ended.get(run.reason or "") or ("approved" if "released" in approval else "cancelled")
    people = approvers if outcome == "approved" else [str((run.reason_on or {}).get("actor", ""))]
    for person in people or [""]:
        labels = (run.job, outcome, run.actor, person)
        if labels not in _people and len(_people) >= PEOPLE:
            labels = (run.job, outcome, "other", "other")
        _people.add(labels)
        APPROVALS.labels(*labels).inc()


def count_answer(kind: str, row: Run | Build | None, now: float) -> None:
    """Note how long it took until the end of a run was said in a place; one that goes on is left alone."""
    if isinstance(row, Run) and row.state == State.FINISHED and row.finished_at is not None:
        ANSWER_SECONDS.labels(kind).observe(max(now - row.finished_at, 0.0))


def count_start(run: Run) -> None:
    """Note how long a run that has just started had to wait."""
    if run.started_at is not None:
        START_SECONDS.observe(max(run.started_at - run.created_at, 0.0))
