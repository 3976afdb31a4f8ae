"""How a definition's limit, key and words are stored with a run, so that bots of any version are safe."""

import pytest

from bot.catalog.catalog import Job
from bot.catalog.concurrency import Concurrency, Facts, Turn, keeps_only_newest, turn
from bot.messages.overlaps import overlap
from bot.states import EVERYTHING

NOBODY = Facts()


@pytest.mark.parametrize("word", ["allow", "queue", "forbid", "replace"])
def test_word_is_stored_as_it_always_was(word: str) -> None:
    assert turn(word, {"REGION": "eu"}, NOBODY) == Turn(word)


@pytest.mark.parametrize("over", ["queue", "forbid", "replace"])
def test_limit_of_one_without_a_key_is_the_word(over: str) -> None:
    assert turn(Concurrency.model_validate({"over": over}), {}, NOBODY) == Turn(over)


@pytest.mark.parametrize("over", ["queue", "forbid", "replace"])
def test_those_who_know_no_number_end_nothing_and_let_one_through(over: str) -> None:
    stored = turn(Concurrency.model_validate({"limit": 3, "over": over}), {}, NOBODY)
    assert stored == Turn("queue", 3, None, over)


def test_queue_is_named_by_the_values_of_the_key() -> None:
    rules = Concurrency.model_validate({"key": ["REGION", "branch", "pull_request", "environment"]})
    made = turn(rules, {"REGION": "eu", "OTHER": "x"}, Facts("main", 7, None))
    assert made == Turn("queue", 1, "REGION=eu branch=main pull_request=7 environment=", "queue")


def test_parameter_goes_before_what_a_run_is_for() -> None:
    rules = Concurrency.model_validate({"key": "branch"})
    assert turn(rules, {"branch": "mine"}, Facts("main")).queue == "branch=mine"


def test_no_two_values_share_a_queue_and_none_is_long() -> None:
    rules = Concurrency.model_validate({"key": ["A", "B"]})
    values = ["", "x", "x B=y", "x=", "~", "~x", "ä", "x" * 41, "x" * 5000, "x\n", " ", "\udcff"]
    queues = {turn(rules, {"A": a, "B": b}, NOBODY).queue for a in values for b in values}
    assert len(queues) == len(values) ** 2
    assert max(len(queue or "") for queue in queues) < 100


def test_locks_of_a_job() -> None:
    def locks(written: object) -> tuple[str, ...]:
        return Job.model_validate({"name": "a", "command": "x", "lock": written}).locks

    assert [locks(each) for each in (None, "db", ["db"], ["prod", "db"])] == [
        *((), ("db",), ("db",), ("prod", "db")),
    ]
    job = Job.model_validate({"name": "a", "command": "x", "lock": ["prod", "db"]})
    assert job.targets == ("a", "prod", "db", EVERYTHING)
    assert Job.frozen(job.model_dump(mode="json")) == job


def test_only_what_ends_all_that_is_older_keeps_only_the_newest() -> None:
    assert keeps_only_newest("replace")
    assert not keeps_only_newest("queue")
    assert not keeps_only_newest(Concurrency.model_validate({"limit": 2, "over": "replace"}))


def test_rules_in_words() -> None:
    assert overlap("allow") is None
    assert overlap("queue") == "waits until other runs of it have ended"
    rules = Concurrency.model_validate({"limit": 3, "key": ["REGION", "branch"], "over": "replace"})
    assert overlap(rules) == (
        "3 at a time of those with the same `REGION`, `branch`; a further one takes the place of the oldest"
    )
