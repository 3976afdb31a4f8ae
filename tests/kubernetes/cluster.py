"""The cluster that tests use: the one that `ERRAND_TEST_KUBECONFIG` names, or else our own server."""

import os
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from kubernetes import config
from kubernetes.client import Configuration
from tests.kubernetes.images import BUSYBOX
from tests.kubernetes.serving import Server

_DEADLINE = 60.0


@dataclass(frozen=True)
class Cluster:
    """A cluster, a namespace in it that is ours, and an image with busybox; `server` is None of a real one."""

    kubeconfig: Path
    context: str | None
    namespace: str
    image: str
    server: Server | None
    client: httpx.Client

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Ask as the administrator; a `path` that begins with a plural is below our namespace."""
        if not path.startswith("/"):
            kind, slash, rest = path.partition("/")
            path = f"{_prefix(kind.partition('?')[0])}/namespaces/{self.namespace}/{kind}{slash}{rest}"
        if body is not None and "content" not in more:
            more["json"] = body
        return self.client.request(method, path, **more)

    def get(self, path: str) -> dict[str, Any]:
        """Give an object or a list."""
        said: dict[str, Any] = self.ask("GET", path).raise_for_status().json()
        return said

    def wait_for(self, path: str, wanted: Any) -> dict[str, Any]:
        """Wait until `wanted(object)` holds; gives the object."""
        until = time.monotonic() + _DEADLINE
        while time.monotonic() < until:
            answer = self.ask("GET", path)
            said: dict[str, Any] = answer.json()
            if answer.is_success and wanted(said):
                return said
            time.sleep(0.02 if self.server else 0.2)  # what is waited for is at the other end
        raise AssertionError(f"{path} never came to it: {said}")

    def wait_until_gone(self, path: str) -> None:
        """Wait until there is no such object."""
        until = time.monotonic() + _DEADLINE
        while self.ask("GET", path).status_code != httpx.codes.NOT_FOUND:
            assert time.monotonic() < until, f"{path} stays"
            time.sleep(0.02 if self.server else 0.2)

    def clear(self) -> None:
        """Remove all Jobs and pods, whatever holds them."""
        _release(self.client, self.namespace)

    def pod_of(self, job: str) -> dict[str, Any]:
        """Wait for the pod of a Job."""
        query = f"pods?labelSelector=job-name%3D{job}"
        found: dict[str, Any] = self.wait_for(query, lambda said: said["items"])["items"][0]
        return found


def _prefix(plural: str) -> str:
    if plural in ("jobs", "cronjobs"):
        return "/apis/batch/v1"
    return "/apis/apps/v1" if plural in ("deployments", "statefulsets", "daemonsets") else "/api/v1"


@contextmanager
def _connected(kubeconfig: Path, context: str | None) -> Iterator[httpx.Client]:
    read = Configuration()
    config.load_kube_config(str(kubeconfig), context, read, persist_config=False)
    verify: ssl.SSLContext | bool = False
    if read.host.startswith("https"):
        verify = ssl.create_default_context(cafile=read.ssl_ca_cert)
        if read.cert_file:
            verify.load_cert_chain(read.cert_file, read.key_file)
    token = read.get_api_key_with_prefix("BearerToken") or read.get_api_key_with_prefix("authorization")
    headers = {"Authorization": token} if token else {}
    with httpx.Client(base_url=read.host, verify=verify, headers=headers, timeout=30.0) as client:
        yield client


@contextmanager
def _namespace(client: httpx.Client, *, waits: bool) -> Iterator[str]:
    name = f"errand-test-{uuid4().hex[:12]}"
    client.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    try:
        until = time.monotonic() + _DEADLINE
        while client.get(f"/api/v1/namespaces/{name}/serviceaccounts/default").is_error:
            assert time.monotonic() < until, "the namespace gets no service account"
            time.sleep(0.05)
        yield name
    finally:
        if waits:
            _release(client, name)
        client.delete(f"/api/v1/namespaces/{name}")


def _release(client: httpx.Client, namespace: str) -> None:
    """Take away the finalizers that nobody would when the tests are over."""
    where = f"/api/v1/namespaces/{namespace}/pods"
    client.delete(f"/apis/batch/v1/namespaces/{namespace}/jobs?propagationPolicy=Background")
    client.delete(f"{where}?gracePeriodSeconds=0")
    for pod in client.get(where).json()["items"]:
        patch = {"metadata": {"finalizers": None}}
        headers = {"Content-Type": "application/merge-patch+json"}
        client.patch(f"{where}/{pod['metadata']['name']}", json=patch, headers=headers)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One namespace for all tests of a process."""
    named = os.environ.get("ERRAND_TEST_KUBECONFIG")
    server: Server | None = None if named else request.getfixturevalue("kubernetes_server")
    kubeconfig = Path(named) if named else server.kubeconfig if server else Path()
    image = os.environ.get("ERRAND_TEST_IMAGE", BUSYBOX)
    with _connected(kubeconfig, "admin" if server else None) as client:
        with _namespace(client, waits=server is None) as namespace:
            yield Cluster(kubeconfig, "errand" if server else None, namespace, image, server, client)
