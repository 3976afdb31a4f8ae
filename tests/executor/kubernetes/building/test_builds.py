"""What is told of how a build ended, from its container's state and termination message."""

import pytest

from executor.kubernetes.building import builds
from executor.kubernetes.images.credentials import Credential
from executor.kubernetes.settings import Settings
from executor.outcomes import RunEnded
from executor.spec import BuildSpec, Outcome, Recipe, Result, Secret, Source

PUSH = "registry.example.com/acme/shop"
DIGEST = f"sha256:{'5' * 64}"
SPEC = BuildSpec(
    "build-1",
    "shop",
    Source("acme/shop", "https://github.com/acme/shop.git", "a" * 40, Secret("ghs_token")),
    recipe=Recipe(push=PUSH, secrets={"NPM_TOKEN": Secret("npm_secret")}),
)
SUCCEEDED = Outcome(Result.SUCCEEDED, 0, started_at=1.0, finished_at=2.0)
FAILED = Outcome(Result.FAILED, 9, started_at=1.0, finished_at=2.0)


def test_image_is_named_by_the_digest_that_was_pushed() -> None:
    outcome = builds.build_outcome(SPEC, SUCCEEDED, f"Built\n{DIGEST}\n")
    assert (outcome.result, outcome.image) == (Result.SUCCEEDED, f"{PUSH}@{DIGEST}")
    assert (outcome.exit_code, outcome.started_at, outcome.finished_at) == (0, 1.0, 2.0)


def test_failed_step_is_a_failed_build() -> None:
    outcome = builds.build_outcome(SPEC, FAILED, "ImageFailed\nThe build ended with exit code 9.\n")
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.FAILED, "BuildFailed", 9)
    assert outcome.message == "The build ended with exit code 9."


def test_step_that_ran_out_of_memory_keeps_that_reason() -> None:
    killed = Outcome(Result.FAILED, 137, "OOMKilled", "It ran out of memory.")
    assert builds.build_outcome(SPEC, killed, "ImageFailed\nx").reason == "OOMKilled"
    assert builds.build_outcome(SPEC, killed, "") == killed


@pytest.mark.parametrize(
    "word", ["SpecInvalid", "FetchFailed", "PushFailed", "BuilderUnfit", "EngineUnavailable"]
)
def test_what_the_job_is_not_to_blame_for_is_an_error(word: str) -> None:
    outcome = builds.build_outcome(SPEC, FAILED, f"{word}\nNo, not \x1b[31mthis. \n")
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.ERROR, word, None)
    assert outcome.message == "No, not this."


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (FAILED, f"Built\n{DIGEST}"),  # as a step could write it that ended the script
        (SUCCEEDED, "Built\nsha256:1"),
        (SUCCEEDED, f"Built\n{DIGEST} other"),
        (SUCCEEDED, ""),
        (SUCCEEDED, "ImageFailed\nx"),
        (FAILED, ""),
        (FAILED, "Anything\nat all"),
    ],
)
def test_word_that_does_not_fit_the_exit_code_is_not_believed(ended: Outcome, message: str) -> None:
    outcome = builds.build_outcome(SPEC, ended, message)
    assert (outcome.result, outcome.reason, outcome.image) == (Result.ERROR, "BuilderDied", None)


@pytest.mark.parametrize("result", [Result.CANCELLED, Result.TIMED_OUT, Result.ERROR])
def test_other_ends_stay_what_they_are(result: Result) -> None:
    ended = Outcome(result, 143, "Reason")
    assert builds.build_outcome(SPEC, ended, f"Built\n{DIGEST}") == ended


async def test_order_masks_the_token_and_the_recipe_s_secrets() -> None:
    order = builds.build_order(SPEC, Settings("jobs", "errand"))
    assert set(order.secrets) == {Secret("ghs_token"), Secret("npm_secret")}
    assert (await order.make()).job["metadata"]["name"] == "build-1"


async def test_build_that_no_cluster_can_make_ends_with_a_sentence() -> None:
    spec = BuildSpec("build-1", "shop", SPEC.source, recipe=Recipe())
    order = builds.build_order(spec, Settings("jobs", "errand"))
    with pytest.raises(RunEnded) as ended:
        await order.make()
    assert (ended.value.outcome.reason, ended.value.outcome.result) == ("SpecInvalid", Result.ERROR)


async def test_order_masks_what_opens_the_registry() -> None:
    credentials = [Credential("errand", "correct-horse-9"), Credential(token="refresh"), Credential()]
    known = builds.secrets_of(credentials)
    assert known == [Secret("correct-horse-9"), Secret("ZXJyYW5kOmNvcnJlY3QtaG9yc2UtOQ=="), Secret("refresh")]
    assert set(known) <= set(builds.build_order(SPEC, Settings("jobs", "errand"), known).secrets)
