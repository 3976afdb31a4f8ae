"""What is asked for again, and what is refused for good."""

import json
from collections.abc import Mapping

import pytest

from executor.kubernetes.refusals import Deferral, Refused, Rights

JOBS = "/apis/batch/v1/namespaces/jobs/jobs"
SECRETS = "/api/v1/namespaces/jobs/secrets"
FORBIDDEN = 'jobs.batch is forbidden: User "errand" cannot create resource "jobs" in API group "batch"'


def answer(status: int, message: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    said = {"kind": "Status", "message": message, "code": status}
    return status, json.dumps(said).encode() if message else b"<html>Forbidden</html>", headers


@pytest.mark.parametrize(("status", "message"), [(403, FORBIDDEN), (403, ""), (401, "Unauthorized")])
async def test_right_that_was_granted_may_be_granted_again(status: int, message: str) -> None:
    rights, said = Rights(), answer(status, message)
    assert isinstance(rights.problem("POST", JOBS, said), Refused)
    rights.grant("POST", JOBS)
    deferral = rights.problem("POST", JOBS, said)
    assert isinstance(deferral, Deferral)
    assert deferral.is_of_right
    assert isinstance(rights.problem("DELETE", f"{JOBS}/run-1", said), Refused)


async def test_rights_are_those_of_roles() -> None:
    rights, said = Rights(), answer(403, FORBIDDEN)
    rights.grant("PATCH", f"{JOBS}/run-1")
    assert isinstance(rights.problem("PATCH", f"{JOBS}/run-2", said), Deferral)
    rights.grant("GET", f"{SECRETS}/one")
    assert isinstance(rights.problem("GET", f"{SECRETS}/one", said), Deferral)
    assert isinstance(rights.problem("GET", f"{SECRETS}/other", said), Refused)
    rights.grant("GET", "/api/v1/namespaces/jobs/pods/run-1-abc/log")
    assert isinstance(rights.problem("GET", "/api/v1/namespaces/jobs/pods/run-2-abc/log", said), Deferral)
    assert isinstance(rights.problem("GET", "/api/v1/namespaces/jobs/pods/run-2-abc", said), Refused)


async def test_server_that_was_away_a_moment_ago_may_not_know_its_roles_yet() -> None:
    rights = Rights()
    rights.miss()
    assert isinstance(rights.problem("POST", JOBS, answer(403, FORBIDDEN)), Deferral)


@pytest.mark.parametrize(
    "message",
    [
        'jobs.batch "run-1" is forbidden: exceeded quota: small',
        'admission webhook "policy.example" denied the request: no',
    ],
)
async def test_what_admission_refuses_is_no_right(message: str) -> None:
    rights = Rights()
    rights.grant("POST", JOBS)
    rights.miss()
    assert isinstance(rights.problem("POST", JOBS, answer(403, message)), Refused)


@pytest.mark.parametrize(
    ("status", "message", "delay"),
    [
        (429, "too many requests", 7.0),
        (500, "Internal error occurred: failed calling webhook: context deadline exceeded", 7.0),
        (403, 'jobs.batch "run-1" is forbidden: not yet ready to handle request', 7.0),
    ],
)
async def test_server_that_cannot_say_yet_says_when(status: int, message: str, delay: float) -> None:
    deferral = Rights().problem("POST", JOBS, answer(status, message, **{"Retry-After": "7"}))
    assert isinstance(deferral, Deferral)
    assert (deferral.later, message in str(deferral)) == (delay, True)
