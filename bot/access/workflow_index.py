"""Which jobs a workflow of GitHub Actions may start, found without a look at all rules. Pure."""

from collections.abc import Iterable, Iterator
from itertools import product

from bot.access.rules import Rule
from bot.access.workflows import Rule as WorkflowRule
from bot.access.workflows import Workflow, small

_Place = tuple[str, str | None, str | None, str | None]
"""What a rule names without stars, None where it names nothing so: a ref, a file, an environment.

Before them a repository in small letters, `#` and its number, or `OWNER/` for patterns.
"""


class WorkflowIndex:
    """The rules of all jobs by what they name; only those are asked that name nothing else than fits."""

    def __init__(self, jobs: Iterable[tuple[str, Rule]]) -> None:
        self._allow: dict[_Place, dict[WorkflowRule, list[str]]] = {}
        self._deny: dict[_Place, dict[WorkflowRule, list[str]]] = {}
        for job, rule in jobs:
            for index, side in ((self._allow, rule.allow), (self._deny, rule.deny)):
                for each in (each for names in side for each, _ in names.workflows):
                    index.setdefault(_place(each), {}).setdefault(each, []).append(job)

    def jobs(self, workflow: Workflow) -> frozenset[str]:
        """Those of which a rule lets `workflow` in, and none shuts it out."""
        allowed = frozenset(_fitting(self._allow, workflow))
        return allowed.difference(_fitting(self._deny, workflow)) if self._deny else allowed


def _fitting(index: dict[_Place, dict[WorkflowRule, list[str]]], workflow: Workflow) -> Iterator[str]:
    name = small(workflow.repository)
    file = workflow.workflow_ref.partition("@")[0].rpartition("/")[2]
    environment = None if workflow.environment is None else small(workflow.environment)
    for place in product(
        (name, f"#{workflow.repository_id}", f"{name.partition('/')[0]}/"),
        (workflow.ref, None),
        (file, None),
        dict.fromkeys((environment, None)),
    ):
        for rule, jobs in index.get(place, {}).items():
            if rule.fits(workflow):
                yield from jobs


def _place(rule: WorkflowRule) -> _Place:
    name = small(rule.repository)
    if rule.repository_id is not None:
        name = f"#{rule.repository_id}"
    elif "*" in name:
        name = f"{name.partition('/')[0]}/"
    environment = None if rule.environment is None else small(rule.environment)
    return name, _exact(rule.ref), _exact(rule.file), _exact(environment)


def _exact(text: str | None) -> str | None:
    return None if text is None or "*" in text else text
