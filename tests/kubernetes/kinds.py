"""The kinds of objects that the server has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind, where its objects are, and which of the official client's models says what they look like.

    `immutable` are paths into an object that never change; `gone` is whether a delete answers with the
    object that was there; `fields` are the field selectors besides name and namespace.
    """

    group: str
    plural: str
    name: str
    model: str
    immutable: tuple[str, ...] = ()
    gives_deleted: bool = False
    fields: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def version(self) -> str:
        """Its apiVersion."""
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def qualified(self) -> str:
        """Its plural with the group, as messages say it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


JOB = Kind("batch", "jobs", "Job", "V1Job", ("completions", "selector", "template", "completionMode"),
           fields=("status.successful",))  # fmt: skip
CRON_JOB = Kind("batch", "cronjobs", "CronJob", "V1CronJob")
POD = Kind(
    "",
    "pods",
    "Pod",
    "V1Pod",
    gives_deleted=True,
    fields=(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    ),
)
SECRET = Kind("", "secrets", "Secret", "V1Secret", fields=("type",))
CONFIG_MAP = Kind("", "configmaps", "ConfigMap", "V1ConfigMap")
EVENT = Kind(
    "",
    "events",
    "Event",
    "CoreV1Event",
    fields=(
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
)
SERVICE_ACCOUNT = Kind("", "serviceaccounts", "ServiceAccount", "V1ServiceAccount", gives_deleted=True)
QUOTA = Kind("", "resourcequotas", "ResourceQuota", "V1ResourceQuota", gives_deleted=True)
NAMESPACE = Kind("", "namespaces", "Namespace", "V1Namespace", gives_deleted=True, namespaced=False)
DEPLOYMENT = Kind("apps", "deployments", "Deployment", "V1Deployment", ("selector",))
REPLICA_SET = Kind("apps", "replicasets", "ReplicaSet", "V1ReplicaSet", ("selector",))
STATEFUL_SET = Kind("apps", "statefulsets", "StatefulSet", "V1StatefulSet", ("selector", "serviceName"))
DAEMON_SET = Kind("apps", "daemonsets", "DaemonSet", "V1DaemonSet", ("selector",))
ACCESS_REVIEW = Kind(
    "authorization.k8s.io",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    "V1SelfSubjectAccessReview",
    namespaced=False,
)

ALL = (
    JOB,
    CRON_JOB,
    POD,
    SECRET,
    CONFIG_MAP,
    EVENT,
    SERVICE_ACCOUNT,
    QUOTA,
    NAMESPACE,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    DAEMON_SET,
    ACCESS_REVIEW,
)
BY_PATH = {(kind.group, kind.plural): kind for kind in ALL}
BY_NAME = {(kind.version, kind.name): kind for kind in ALL}
