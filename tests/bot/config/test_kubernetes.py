"""What the file says of Kubernetes: the cluster, live images, references, and what means nothing there."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from kubernetes.aio.client import models

from bot.catalog.catalog import Job
from bot.catalog.conditions import ConfigMapReference, SecretReference
from bot.config import cluster_settings, load, pods
from bot.errors import ConfigError
from executor.kubernetes.settings import Registry
from executor.spec import Live, Reference, Secret
from tests.bot.config.files import Files, one
from tests.changing import content, merged
from tests.registry import certified

ENVIRON = {"TOKEN": "t0ken-value", "NPM_TOKEN": "npm-value", "POOL": "jobs"}
read, mistakes = Files(ENVIRON).read, Files(ENVIRON).mistakes
GITHUB = "github: {token: x}\n"
CLUSTER = "engine: {kind: kubernetes}\n"
TOOLS = "images: {t: {reference: tools}}\n"


WHOLE = """
url: https://errand.example.com
github: {token: x}
engine:
  kind: kubernetes
  kubernetes:
    context: staging
    kubeconfig: /etc/errand/kubeconfig
    namespace: runs
    service_account: runner
    pod:
      nodeSelector: {pool: "${POOL}"}
      tolerations: [{key: gpu, operator: Exists, tolerationSeconds: 60}]
      containers: [{name: job, resources: {limits: {ephemeral-storage: 1Gi, example.com/x: 1}}}]
      priorityClassName: null
    pending_timeout: 5m
    builder: {kind: buildah, registry_secret: registry-auth, pod: {nodeSelector: {pool: builds}}}
sizes: {gpu: {cpu: "4", memory: 16Gi, gpu: 1}}
images:
  shop: {build: {repository: acme/shop, secrets: [NPM_TOKEN]}, push: registry.example.com/acme/shop}
  live: {workload: deployment/shop, namespace: prod, container: web}
  other: {workload: cronjob/nightly}
jobs:
  train:
    image: shop
    command: x
    size: gpu
    read_only: true
    files: {/etc/shop.ini: x}
    env:
      URL: {secret: shop-db, key: url}
      MODE: {configmap: shop-settings, key: mode}
      KEY: "${TOKEN}"
  look: {image: live, command: x}
"""


def test_whole_of_a_cluster_is_read(file: Path) -> None:
    config = read(file, WHOLE)
    settings = cluster_settings(config)
    assert (settings.context, settings.kubeconfig) == ("staging", "/etc/errand/kubeconfig")
    assert (settings.namespace, settings.namespaces) == ("runs", ("prod",))
    assert (settings.service_account, settings.pending_timeout) == ("runner", 300.0)
    assert settings.pod["nodeSelector"] == {"pool": "jobs"}
    assert settings.pod["priorityClassName"] is None
    builder = settings.builder
    assert (builder.kind, builder.registry_secret) == ("buildah", "registry-auth")
    assert builder.image.startswith("quay.io/buildah/")
    assert builder.pod == {"nodeSelector": {"pool": "builds"}}
    size = config.jobs["train"].resources
    assert size is not None
    assert size.gpu == 1
    assert config.images["live"].live == Live("deployment/shop", "prod", "web")
    assert config.images["other"].live == Live("cronjob/nightly")


def test_a_cluster_needs_no_more_than_its_name(file: Path) -> None:
    settings = cluster_settings(read(file, CLUSTER))
    assert (settings.namespace, settings.context, settings.kubeconfig) == ("jobs", None, None)
    assert (settings.builder.kind, settings.builder.image) == ("buildkit", "moby/buildkit:rootless")
    assert settings.pending_timeout == 600.0


REGISTRIES = "engine:\n  kind: kubernetes\n  kubernetes:\n    registries:\n      registry.jobs.svc:5000: "


def test_registries_are_reached_as_the_file_says(file: Path) -> None:
    settings = cluster_settings(
        read(file, REGISTRIES + "{http: true}\n    builder: {cache: r.example.com/c}\n")
    )
    assert settings.registries == {"registry.jobs.svc:5000": Registry(http=True)}
    assert settings.builder.cache == "r.example.com/c"
    ca = certified(file.parent)
    indented = "".join(f"          {line}\n" for line in ca.splitlines())
    settings = cluster_settings(read(file, f"{REGISTRIES}\n        ca: |\n{indented}"))
    assert settings.registries == {"registry.jobs.svc:5000": Registry(ca=ca)}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{}", "either http: true or ca is required"),
        ("{http: false}", "either http: true or ca is required"),
        ("{ca: hello}", "expected certificates in PEM"),
        ("{insecure: true}", "unknown key"),
    ],
)
def test_mistakes_of_registries_are_told(file: Path, value: str, said: str) -> None:
    (mistake,) = mistakes(file, REGISTRIES + value)
    assert said in mistake


@pytest.mark.parametrize("host", ["https://registry.example.com", "localhost:5000", "registry/cache", "-x"])
def test_registry_is_named_by_its_host(file: Path, host: str) -> None:
    cluster = {"registries": {host: {"http": True}}}
    (mistake,) = mistakes(file, json.dumps({"engine": {"kind": "kubernetes", "kubernetes": cluster}}))
    assert "expected the host of a registry" in mistake


def test_installation_is_the_same_for_all_of_its_bots_and_another_elsewhere(file: Path) -> None:
    one = cluster_settings(read(file, WHOLE)).installation
    engine = content(WHOLE)["engine"]
    engine["kubernetes"]["namespace"] = "others"
    again = cluster_settings(read(file, merged(WHOLE, engine=engine))).installation
    other = cluster_settings(read(file, merged(WHOLE, url="https://two.example.com"))).installation
    assert one == again != other
    assert one.isalnum()
    assert len(one) <= 63


def test_references_are_the_engine_s_and_are_never_looked_up_here(file: Path) -> None:
    config = read(file, WHOLE)
    job = config.jobs["train"]
    assert job.env["URL"] == SecretReference(secret="shop-db", key="url")
    assert job.env["MODE"] == ConfigMapReference(configmap="shop-settings", key="mode")
    frozen = Job.model_validate(job.model_dump(mode="json"))
    assert frozen == job
    assert config.environment(frozen) == ({"KEY": "t0ken-value"}, (Secret("t0ken-value"),))
    assert config.references(frozen) == {
        "URL": Reference("secret", "shop-db", "url"),
        "MODE": Reference("configmap", "shop-settings", "mode"),
    }


def test_references_of_another_engine_are_variables_as_before(file: Path) -> None:
    file.write_text("jobs: {a: {command: x, env: {URL: {secret: shop-db, key: url}}}}")
    config = load(file, {"SHOP_DB_URL": "postgres"})
    assert config.references(config.jobs["a"]) == {}
    assert config.environment(config.jobs["a"])[0] == {"URL": "postgres"}


def test_stored_reference_to_a_configmap_is_told_on_an_engine_that_has_none(file: Path) -> None:
    job = Job.model_validate({"name": "a", "command": "x", "env": {"M": {"configmap": "c", "key": "k"}}})
    with pytest.raises(ConfigError, match=r"jobs\.a\.env\.M: only Kubernetes has ConfigMaps"):
        read(file, "").environment(job)


def test_live_image_is_frozen_with_all_that_names_its_container(file: Path) -> None:
    images = read(file, WHOLE).images
    assert type(images["live"]).model_validate(images["live"].frozen) == images["live"]
    assert images["live"].origin == "deployment/shop in prod (web)"
    # As it was stored before there were namespaces.
    assert "namespace" not in images["other"].frozen
    assert "namespace" not in images["shop"].recipe


def test_summary_tells_the_cluster(file: Path) -> None:
    summary = dict(read(file, WHOLE).summary())
    assert summary["engine"] == (
        "kubernetes, staging of /etc/errand/kubeconfig, namespace runs, service account runner,"
        " builds with buildah (quay.io/buildah/stable:latest)"
    )
    assert summary["image live"] == "deployment/shop in prod (web)"
    assert dict(read(file, CLUSTER).summary())["engine"].startswith(
        "kubernetes, the cluster it runs in, or that of KUBECONFIG, namespace jobs, builds with buildkit"
    )


def _engine(keys: str) -> str:
    return f"engine: {{kind: kubernetes, kubernetes: {{{keys}}}}}"


def _pod(keys: str) -> str:
    return _engine(f"pod: {{{keys}}}")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        one("engine: {kind: kubernets}", "1:16: engine.kind: expected process, container or kubernetes"),
        one(_engine("namspace: x"), "1:41: engine.kubernetes.namspace: unknown key; did you mean namespace"),
        one(_engine("namespace: Jobs"), "engine.kubernetes.namespace: expected a name of small letters"),
        one(_engine("namespace: a.b"), "expected a name of small letters, digits and - (at most 63)"),
        one(_engine("service_account: a_b"), "service_account: expected a name of small letters, digits, -"),
        one(_engine("context: ''"), "1:50: engine.kubernetes.context: expected the name of a context"),
        one(_engine("kubeconfig: ' '"), "engine.kubernetes.kubeconfig: expected the path of a kubeconfig"),
        one(_engine("pending_timeout: soon"), "pending_timeout: expected a duration such as 30s"),
        one(_engine("pending_timeout: 0"), "pending_timeout: expected a duration from 1s to 1d"),
        one(_engine("builder: {kind: docker}"), "builder.kind: expected buildkit or buildah"),
        one(_engine("builder: {image: A B}"), "builder.image: expected an image of a registry"),
        one(_engine("builder: {registry_secret: '-'}"), "registry_secret: expected a name of small letters"),
        one(_engine("builder: {imge: x}"), "unknown key; did you mean image?"),
        one(_engine("pod: []"), "1:46: engine.kubernetes.pod: expected names and values, not a list"),
        one(
            _pod("nodeSelecter: {}"),
            "1:47: engine.kubernetes.pod.nodeSelecter: no field of a pod; did you mean nodeSelector?",
        ),
        one(_pod("spec: {}"), "engine.kubernetes.pod.spec: no field of a pod"),
        one(_pod("nodeSelector: {gpu: true}"), "pod.nodeSelector: expected names and texts"),
        one(_pod("tolerations: {key: x}"), "pod.tolerations: expected a list of keys and values"),
        one(_pod("tolerations: [{ky: x}]"), "tolerations[1].ky: no such field; did you mean key?"),
        one(_pod("tolerations: [{tolerationSeconds: 1m}]"), "tolerationSeconds: expected a whole number"),
        one(_pod("hostNetwork: 'yes'"), "pod.hostNetwork: expected true or false"),
        one(_pod("priority: true"), "pod.priority: expected a whole number"),
        one(_pod("containers: [{image: x}]"), "pod.containers[1]: name is required: by it this is merged"),
        one(_pod("containers: [{name: a, args: x}]"), "containers[1].args: expected a list of texts"),
        one(_pod("containers: [{name: a, cmd: x}]"), "containers[1].cmd: no such field"),
        one(_pod("containers: [{name: a, resources: {limit: {}}}]"), "no such field; did you mean limits?"),
        one(_pod("affinity: {nodeAfinity: {}}"), "affinity.nodeAfinity: no such field; did you mean node"),
        one(_pod("restartPolicy: Always"), "restartPolicy cannot be set here: a run starts once"),
        one(_pod("terminationGracePeriodSeconds: 1"), "cannot be set here: grace of the job says it"),
        one(_pod("activeDeadlineSeconds: 1"), "cannot be set here: timeout of the job says it"),
        one(_pod("ephemeralContainers: []"), "cannot be set here: no pod is created with them"),
        one(
            _engine("builder: {pod: {volums: []}}"), "builder.pod.volums: no field of a pod; did you mean vol"
        ),
        # Images.
        one(
            GITHUB + CLUSTER + "images: {s: {build: {repository: a/b}}}",
            "3:10: images.s: push is required: the nodes of a cluster take what was built from a registry",
        ),
        one(
            GITHUB + CLUSTER + "images: {s: {build: {repository: a/b, setup: x}, push: ghcr.io/a/b}}",
            "images.s.build.setup: images are built by the Dockerfile alone",
        ),
        one(
            CLUSTER + "images: {t: {workload: container/web}}",
            "2:24: images.t.workload: expected a workload of the cluster: deployment, statefulset, ",
        ),
        one(CLUSTER + "images: {t: {workload: job/web}}", "or on Kubernetes deployment/NAME (statefulset, "),
        one(CLUSTER + "images: {t: {workload: deployment/../x}}", "images.t.workload: expected container/"),
        one(CLUSTER + "images: {t: {workload: pod/A}}", "images.t.workload: expected container/NAME"),
        one(CLUSTER + "images: {t: {workload: pod/a, namespace: A}}", "images.t.namespace: expected a name"),
        one(CLUSTER + "images: {t: {workload: pod/a, container: a.b}}", "t.container: expected a name of"),
        one(
            CLUSTER + "images: {t: {reference: a, namespace: b}}",
            "images.t: namespace is for an image that comes from a workload; this one does not",
        ),
        one(
            "engine: {kind: container}\nimages: {t: {workload: deployment/web}}",
            "2:24: images.t.workload: expected container/NAME, a container that runs on this machine; others",
        ),
        one(
            "engine: {kind: container}\nimages: {t: {workload: container/web, namespace: a, container: b}}",
            "images.t.namespace: containers of this machine have none; for this engine.kind has to be",
        ),
        # Jobs.
        one(CLUSTER + "jobs: {a: {command: x}}", "jobs.a: image is required: the kubernetes engine runs"),
        one(
            CLUSTER + TOOLS + "jobs: {a: {image: t, command: x, files: {etc/a: b}}}",
            "3:42: jobs.a.files.etc/a: expected a whole path such as /etc/shop.ini: there is no checkout",
        ),
        one(
            CLUSTER + TOOLS + "jobs: {a: {image: t, command: x, env: {U: {secret: S, key: k}}}}",
            "jobs.a.env.U: a value from a secret is {secret: shop-db, key: url}; expected the name of a sec",
        ),
        one(
            CLUSTER + TOOLS + "jobs: {a: {image: t, command: x, env: {U: {configmap: a..b, key: k}}}}",
            "jobs.a.env.U: a value from a ConfigMap is {configmap: shop-settings, key: url}; expected",
        ),
        one(
            CLUSTER + TOOLS + "jobs: {a: {image: t, command: x, env: {U: {configmap: c}}}}",
            "a value from a ConfigMap is {configmap: shop-settings, key: url}",
        ),
        one(
            CLUSTER
            + TOOLS
            + "jobs: {a: {image: t, command: x, env: {U: {configmap: c, key: k}}, mask: [U]}}",
            "jobs.a.mask: U: a ConfigMap keeps no secrets, and what it says is not masked; keep this in a Se",
        ),
        one(
            "jobs: {a: {command: x, env: {U: {configmap: c, key: k}}}}",
            "1:33: jobs.a.env.U: only Kubernetes has ConfigMaps; on this engine write the value itself",
        ),
        one(
            "defaults: {env: {U: {configmap: c, key: k}}}\njobs: {a: {command: x}}",
            "1:21: defaults.env.U: only Kubernetes has ConfigMaps",
        ),
    ],
)
def test_mistake_about_kubernetes_is_told_in_its_place(file: Path, text: str, mistake: str) -> None:
    told = mistakes(file, text)
    assert mistake in "\n".join(told)


def test_a_mistake_is_told_once(file: Path) -> None:
    assert len(mistakes(file, _pod("nodeSelecter: {}"))) == 1
    assert len(mistakes(file, CLUSTER + "images: {t: {workload: container/web}}")) == 1


def _kind(annotation: Any) -> str:
    """What the official client expects of a field, in the words of the check."""
    text = str(annotation)
    inner = [each for each in get_args(annotation) if each is not type(None)]
    if "List[kubernetes" in text:
        return pods.OBJECTS
    if "List[" in text:
        return pods.TEXTS
    if "Dict[" in text:
        return pods.LABELS
    if "kubernetes.aio" in text:
        return pods.OBJECT
    plain = inner[0] if inner else annotation
    types = {"int": pods.NUMBER, "bool": pods.FLAG}
    return next((kind for name, kind in types.items() if name in str(plain)), pods.TEXT)


@pytest.mark.parametrize(
    ("known", "model"),
    [
        (pods.PODS, models.V1PodSpec),
        (pods.CONTAINERS, models.V1Container),
        (pods.TOLERATIONS, models.V1Toleration),
        (pods.AFFINITY, models.V1Affinity),
        (pods.RESOURCES, models.V1ResourceRequirements),
    ],
    ids=["pod", "container", "toleration", "affinity", "resources"],
)
def test_fields_are_those_that_the_official_client_knows(known: dict[str, str], model: Any) -> None:
    official = {field.serialization_alias or name: field for name, field in model.model_fields.items()}
    # What the models have as names and texts, the API takes as amounts too.
    kinds = {name: pods.LABELS if kind == pods.AMOUNTS else kind for name, kind in known.items()}
    assert kinds == {name: _kind(field.annotation) for name, field in official.items()}
