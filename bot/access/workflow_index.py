"""Which jobs a workflow of GitHub Actions may start, found without a look at all rules. Pure."""

from collections.abc import Iterable, Iterator

from bot.access.rules import Rule
from bot.access.workflows import Rule as WorkflowRule
from bot.access.workflows import Workflow, small

_Place = tuple[str, str | None]
"""A repository in small letters, `#` and its number, or `OWNER/` for patterns; and a ref, None for any."""


class WorkflowIndex:
    """The rules of all jobs by the repository and the ref that they name; each rule is asked once."""

    def __init__(self, jobs: Iterable[tuple[str, Rule]]) -> None:
        self._allow: dict[_Place, dict[WorkflowRule, list[str]]] = {}
        self._deny: dict[_Place, dict[WorkflowRule, list[str]]] = {}
        for job, rule in jobs:
            for index, side in ((self._allow, rule.allow), (self._deny, rule.deny)):
                for each in (each for names in side for each, _ in names.workflows):
                    index.setdefault(_place(each), {}).setdefault(each, []).append(job)

    def jobs(self, workflow: Workflow) -> frozenset[str]:
        """Those of which a rule lets `workflow` in, and none shuts it out."""
        return frozenset(_fitting(self._allow, workflow)).difference(_fitting(self._deny, workflow))


def _fitting(index: dict[_Place, dict[WorkflowRule, list[str]]], workflow: Workflow) -> Iterator[str]:
    name = small(workflow.repository)
    places = (name, f"#{workflow.repository_id}", f"{name.partition('/')[0]}/")
    for place in places:
        for ref in (workflow.ref, None):
            for rule, jobs in index.get((place, ref), {}).items():
                if rule.fits(workflow):
                    yield from jobs


def _place(rule: WorkflowRule) -> _Place:
    name = small(rule.repository)
    if rule.repository_id is not None:
        name = f"#{rule.repository_id}"
    elif "*" in name:
        name = f"{name.partition('/')[0]}/"
    return name, None if rule.ref is None or "*" in rule.ref else rule.ref
