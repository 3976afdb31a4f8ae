"""Builds in the cluster: what is ordered, and what is told of how it ended. Pure."""

import re
from dataclasses import replace

from executor.kubernetes import buildjobs
from executor.kubernetes.orders import Made, Order
from executor.kubernetes.outcomes import error
from executor.kubernetes.settings import Settings
from executor.spec import BuildSpec, Outcome, Result
from executor.words import plain

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_FAILURES = frozenset({"SpecInvalid", "FetchFailed", "PushFailed", "EngineUnavailable"})
"""What the script says besides `Built` and `ImageFailed`: the reasons of an error."""


def order(spec: BuildSpec, settings: Settings) -> Order:
    """Give what `life` attends for a build; its outcome names the image `REPOSITORY@sha256:DIGEST`."""

    async def make() -> Made:
        try:
            return buildjobs.made(spec, settings)
        except ValueError as problem:
            raise error("SpecInvalid", str(problem)) from problem

    return Order(
        key=spec.key,
        namespace=settings.namespace,
        make=make,
        secrets=buildjobs.hidden(spec),
        timeout=spec.timeout,
        grace=buildjobs.GRACE,
        pending_timeout=settings.pending_timeout,
        finish=lambda outcome, message: told(spec, outcome, message),
    )


def told(spec: BuildSpec, outcome: Outcome, message: str) -> Outcome:
    """Give the outcome of a build whose container ended with `outcome` and left `message`.

    A step can end the script, and where it is not kept from it write what the script would: so its word and
    its exit code have to agree.
    """
    word, _, sentence = (part.strip() for part in message.partition("\n"))
    if outcome.result is Result.SUCCEEDED and word == "Built" and _DIGEST.fullmatch(sentence):
        return replace(outcome, image=f"{buildjobs.pushed_to(spec)}@{sentence}")
    if outcome.result not in (Result.SUCCEEDED, Result.FAILED):
        return outcome
    if outcome.result is Result.FAILED and word == "ImageFailed":
        return replace(outcome, reason=outcome.reason or "BuildFailed", message=plain(sentence))
    if outcome.result is Result.FAILED and not word and outcome.reason:
        return outcome
    return replace(
        outcome,
        result=Result.ERROR,
        exit_code=None,
        reason=word if word in _FAILURES else "BuilderDied",
        message=plain(sentence)
        if word in _FAILURES
        else f"The builder ended with {outcome.exit_code} and did not say why.",
    )
