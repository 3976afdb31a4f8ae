"""Builds in the cluster: what is ordered, and what is told of how it ended."""

import base64
import re
from collections.abc import Iterable
from dataclasses import replace

from executor import references
from executor.kubernetes.building import buildjobs
from executor.kubernetes.controller.orders import RunOrder
from executor.kubernetes.images.credentials import Credential
from executor.kubernetes.images.keys import Keys
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.settings import Settings
from executor.outcomes import error
from executor.spec import BuildSpec, Outcome, Result, Secret
from executor.words import plain

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_FAILURES = frozenset({"SpecInvalid", "FetchFailed", "PushFailed", "BuilderUnfit", "EngineUnavailable"})
"""What the script says besides `Built` and `ImageFailed`: the reasons of an error."""


def build_order(spec: BuildSpec, settings: Settings, registry: Iterable[Secret] = ()) -> RunOrder:
    """Give what a `RunController` attends for a build, whose image is named `REPOSITORY@sha256:DIGEST`.

    `registry` is what `known_of_registry` gives, and masked too.
    """

    async def make() -> Manifests:
        try:
            return buildjobs.made(spec, settings)
        except ValueError as problem:
            raise error("SpecInvalid", str(problem)) from problem

    return RunOrder(
        key=spec.key,
        namespace=settings.namespace,
        make=make,
        secrets=(*buildjobs.hidden(spec), *registry),
        timeout=spec.timeout,
        grace=buildjobs.GRACE,
        pending_timeout=settings.pending_timeout,
        finish=lambda outcome, message: build_outcome(spec, outcome, message),
    )


async def known_of_registry(spec: BuildSpec, keys: Keys) -> list[Secret]:
    """Give what opens the registry that is pushed to, as far as Errand may read that.

    Raises EngineUnavailable.
    """
    try:
        reference = references.parse(buildjobs.pushed_to(spec))
    except ValueError:  # of which `make` tells
        return []
    return secrets_of(await keys.of(reference)())


def secrets_of(credentials: Iterable[Credential]) -> list[Secret]:
    """Give every form in which credentials are written: the password alone, and as HTTP has it. Pure."""
    found: list[str] = []
    for credential in credentials:
        if credential.token:
            found.append(credential.token)
        if credential.password:
            basic = f"{credential.user}:{credential.password}"
            found += [credential.password, base64.b64encode(basic.encode()).decode()]
    return [Secret(value) for value in dict.fromkeys(found)]


def build_outcome(spec: BuildSpec, outcome: Outcome, message: str) -> Outcome:
    """Give the outcome of a build, purely, whose container ended with `outcome` and left `message`.

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
