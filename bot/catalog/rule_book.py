"""The rules of all jobs as they are today: who may run which."""

from collections.abc import Mapping
from functools import cached_property

from bot.access.principals import GROUPS
from bot.access.rules import People, Rule
from bot.access.workflow_index import WorkflowIndex
from bot.access.workflows import Workflow
from bot.catalog.catalog import Job


class RuleBook:
    """Made anew with every change of a job; the rules themselves are compiled once, see `People`."""

    def __init__(self, people: People, jobs: Mapping[str, Job]) -> None:
        self.people = people
        self._jobs = jobs

    def of(self, job: Job) -> Rule:
        """Who may run `job`, which may be one of before."""
        return self.people.rule(job.allow, job.deny)

    def started_by(self, workflow: Workflow) -> frozenset[str]:
        """The jobs that a workflow of GitHub Actions may start."""
        return self._index.jobs(workflow)

    @cached_property
    def _index(self) -> WorkflowIndex:
        return WorkflowIndex((name, self.of(job)) for name, job in self._jobs.items())

    @cached_property
    def asks_groups(self) -> bool:
        """Whether a rule names a user group of Slack, so that it matters who is a member there."""
        texts = [text for job in self._jobs.values() for text in (*job.allow, *job.deny)]
        sets = [text for each in self.people.sets.values() for text in each]
        return any(text.startswith(GROUPS) for text in (*texts, *sets))
