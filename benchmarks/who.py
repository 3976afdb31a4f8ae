"""What it costs to decide who may, beyond the network: one job with many rules, and all jobs for a workflow.

The peers read each entry as it is written whenever they are asked, as was done for workflows before rules
were compiled.
"""

import statistics
import time
from collections.abc import Callable, Sequence

from benchmarks.harness import Row, median_ratio
from bot.access.policy import Subject, judge
from bot.access.principals import member
from bot.access.questions import Facts, MemberOf
from bot.access.rules import Asker, People
from bot.access.workflow_index import WorkflowIndex
from bot.access.workflows import Workflow, rule

RULES, PERSONS, JOBS, TIMES, ROUNDS = 50, 1000, 1000, 50, 7
AIM = 0.25
"""The ratio at most: of one team of fifty the peer reads fifty names only."""
MAIN = "refs/heads/main"
WORKFLOW = Workflow("acme/shop-7", "7", MAIN, "push", f"acme/shop-7/.github/workflows/deploy.yml@{MAIN}")


async def rows() -> list[Row]:
    """Milliseconds of processor time for one decision."""
    return [*(_of_job(*case) for case in _cases()), _of_workflow("others"), _of_workflow("its own")]


def _cases() -> list[tuple[str, Asker, list[str], list[str]]]:
    """Somebody who is the last of all, somebody who is nobody, and a team that is one of fifty."""
    persons = [f"github:person-{number}" for number in range(PERSONS)]
    sets = [f"set-{number}" for number in range(RULES)]
    teams = [f"github:@acme/team-{number}" for number in range(RULES)]
    return [
        ("the last of them", Asker(f"Person-{PERSONS - 1}"), sets, persons),
        ("nobody of them", Asker("nobody"), sets, persons),
        ("one of fifty teams", Asker("member"), teams, persons),
    ]


def _of_job(name: str, asker: Asker, allow: list[str], persons: list[str]) -> Row:
    size = len(persons) // RULES
    people = People(
        {f"set-{number}": persons[number * size : (number + 1) * size] for number in range(RULES)}
    )
    subject = Subject("running `migrate`", ("acme/shop",))
    facts: Facts = {MemberOf("acme", f"team-{number}"): number == RULES - 1 for number in range(RULES)}
    login = (asker.login or "").casefold()

    def ours() -> bool:
        return judge(people.rule(allow), asker, subject, facts).allowed

    def peer() -> bool:
        every = [each for text in allow for each in people.sets.get(text, (text,))]
        found = [member(text) for text in every]
        return any(
            each.is_login(login) or facts.get(MemberOf(each.name.lower(), each.team)) is True
            for each in found
        )

    if ours() is not peer():
        raise AssertionError(f"{name}: decided otherwise")
    return _row(f"who may: {RULES} rules, {PERSONS} people, {name}", ours, peer)


def _of_workflow(which: str) -> Row:
    """Three rules a job, each of other repositories, or all of the one that asks."""
    names = [f"shop-{number if which == 'others' else 7}" for number in range(JOBS)]
    allow = {
        f"job-{number}": (
            f"actions:acme/{name}@refs/heads/main:environment:production-{number}",
            f"actions:acme/{name}@refs/tags/v*:workflow:job-{number}.yml",
            f"actions:acme/{name}@refs/heads/main:workflow:deploy.yml",
        )
        for number, name in enumerate(names)
    }
    people = People()
    index = WorkflowIndex((job, people.rule(texts)) for job, texts in allow.items())

    def ours() -> Sequence[str]:
        return sorted(index.jobs(WORKFLOW))

    def peer() -> Sequence[str]:
        return sorted(job for job, texts in allow.items() if any(rule(text).fits(WORKFLOW) for text in texts))

    if ours() != peer():
        raise AssertionError("the index finds other jobs")
    return _row(f"who may: a workflow's token, {JOBS} jobs with 3 rules of {which}", ours, peer)


def _row(name: str, ours: Callable[[], object], peer: Callable[[], object]) -> Row:
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        mine.append(_milliseconds(ours, TIMES))
        theirs.append(_milliseconds(peer, 3))
    note = "processor time of one decision; the peer reads each rule as it is written"
    our, other = statistics.median(mine), statistics.median(theirs)
    return Row(name, our, other, median_ratio(mine, theirs), "ms", AIM, most=True, note=note)


def _milliseconds(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e3
