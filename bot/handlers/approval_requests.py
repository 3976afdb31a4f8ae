"""Whether a run needs somebody's yes, and what it is then held by until it has it. Pure."""

from collections.abc import Mapping
from typing import Any

from bot import messages
from bot.catalog.approval import Approval
from bot.catalog.catalog import Job
from bot.handlers import bindings
from bot.handlers.orders import Order
from bot.states import Hold
from bot.store.holds import Holding
from bot.tables import Run


def needed(job: Job, parameters: Mapping[str, str]) -> Approval | None:
    """What the definition asks for of a run with these values; None where it asks for no yes."""
    approval = job.approval
    return approval if approval is not None and approval.is_needed(job.parameters, parameters) else None


def requested(order: Order, run: Run, approval: Approval) -> dict[str, Any]:
    """What is kept with the run of what it needs; `from` and the rest are those of the definition."""
    return {**approval.model_dump(mode="json"), "facts": bindings.facts(order, run), "given": []}


def holding(run: Run, *, now: float) -> Holding:
    """What holds a run that needs a yes from now on; it is looked at at once where that is for its image.

    Not for its pull request: so soon after a push GitHub may still tell what was there before.
    """
    rule = run.approval or {}
    until = now + rule["expires"]
    on: dict[str, Any] = {"whose": messages.whose(run), "count": rule["count"], "until": until, "given": []}
    return Holding(Hold.APPROVAL, now if bindings.facts_of(run)["looks_up"] else until, until, on)
