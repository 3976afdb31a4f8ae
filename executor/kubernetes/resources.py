"""The kinds of objects that are used, and what ours are called and labelled. Pure."""

import hashlib
import re
from dataclasses import dataclass

from executor.logs.store import check_key

MANAGED_BY = "app.kubernetes.io/managed-by"
ERRAND = "errand"
"""The value of `MANAGED_BY` on everything that Errand makes, and the prefix of its own labels."""
SELECTOR = f"{MANAGED_BY}={ERRAND}"
INSTALLATION = "errand/installation"
KEY = "errand/key"
"""The label with the name that `name_of` gives; the annotation of the same name has the key itself."""
STOP = "errand/stop"
"""Annotation of a Job that is to stop: the `Result` that this is the reason for."""
REASON, WORDS = "errand/stop-reason", "errand/stop-words"
"""Annotations beside it: the `reason` and the `message` of its `Outcome`, where there are any."""
MASKED = "errand/masked"
"""Annotation of a Job: names of variables whose values no log shows, as a JSON list."""
FINALIZER = "errand/outcome"
"""On every pod of ours: it stays until its exit code is known, and goes in `remove`."""

_LONGEST = 52
"""Characters of a Job's name: its pod's name adds a dash and five, and labels and host names end at 63."""
_ODD = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Resource:
    """Where objects of one kind are: `prefix/namespaces/NAMESPACE/plural`."""

    prefix: str
    plural: str
    kind: str

    @property
    def group(self) -> str:
        """Its API group; empty for the core one."""
        return self.prefix.split("/")[1] if self.prefix.startswith("apis/") else ""


JOBS = Resource("apis/batch/v1", "jobs", "Job")
CRONJOBS = Resource("apis/batch/v1", "cronjobs", "CronJob")
PODS = Resource("api/v1", "pods", "Pod")
SECRETS = Resource("api/v1", "secrets", "Secret")
CONFIGMAPS = Resource("api/v1", "configmaps", "ConfigMap")
EVENTS = Resource("api/v1", "events", "Event")
SERVICE_ACCOUNTS = Resource("api/v1", "serviceaccounts", "ServiceAccount")
DEPLOYMENTS = Resource("apis/apps/v1", "deployments", "Deployment")
STATEFULSETS = Resource("apis/apps/v1", "statefulsets", "StatefulSet")
DAEMONSETS = Resource("apis/apps/v1", "daemonsets", "DaemonSet")
ACCESS_REVIEWS = Resource(
    "apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview"
)


def name_of(key: str) -> str:
    """What the Job of `key` and all that belongs to it is called: a DNS label, another for every key."""
    plain = _ODD.sub("-", check_key(key))
    if plain == key and len(key) <= _LONGEST:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST - 9].rstrip('-')}-{digest}"
