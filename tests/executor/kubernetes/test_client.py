"""What answers of an API server mean."""

from pathlib import Path

import pytest

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import JOBS
from executor.kubernetes.settings import Settings
from tests.executor.kubernetes.places import Answer, kubeconfig, said, served

PLAIN = 'jobs.batch is forbidden: User "errand" cannot create resource "jobs" in the namespace "jobs"'


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (PLAIN, Refused),
        # Just after its start a server has not read its Roles yet.
        (f'{PLAIN}: RBAC: role.rbac.authorization.k8s.io "errand" not found', EngineUnavailable),
    ],
)
async def test_a_server_that_has_not_read_its_roles_yet_is_asked_again(
    tmp_path: Path, message: str, problem: type[Exception]
) -> None:
    def handler(method: str, target: str, headers: dict[str, str]) -> Answer:
        return said(403, {"kind": "Status", "reason": "Forbidden", "message": message})

    with served(handler) as host:
        client = await Client.open(Settings("jobs", "test", kubeconfig=kubeconfig(tmp_path, host)))
        try:
            with pytest.raises(problem, match="is forbidden"):
                await client.create(JOBS, "jobs", {"metadata": {"name": "run-1"}})
        finally:
            await client.close()
