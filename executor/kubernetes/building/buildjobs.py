"""The objects of a build: a Job that runs `build.sh` in the image of a builder, and its Secret. Pure.

BuildKit without root: https://github.com/moby/buildkit/blob/master/docs/rootless.md
Buildah in a container: https://github.com/containers/image_build/tree/main/buildah
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from executor import references
from executor.checkout import git
from executor.kubernetes.building import trust
from executor.kubernetes.client import Object
from executor.kubernetes.objects import manifests
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.objects.merging import merged
from executor.kubernetes.objects.pods import CONTAINER, literal
from executor.kubernetes.settings import Settings
from executor.process import trees
from executor.spec import BuildSpec, Recipe, Secret

GRACE = 5.0
"""Seconds between SIGTERM, which ends the script, and SIGKILL."""
LABEL = "errand.image"
"""What every image that is built here has: the name of the image in Errand."""

_SCRIPT = Path(__file__).with_name("build.sh").read_text(encoding="utf-8")
_WORK, _SECRETS, _REGISTRY = "/errand/work", "/errand/given", "/errand/registry"
_RESULT = "/errand/result"
_USER = 1000
"""The user of both images, who has a range of further ones in /etc/subuid."""
_MODE = 0o440
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_TOKEN = "token"  # noqa: S105
"""The key of git's token in the Secret; those of the recipe's secrets are numbered."""


def made(spec: BuildSpec, settings: Settings) -> Manifests:
    """Give the objects of a build; raises ValueError for what cannot be built in a cluster."""
    recipe = spec.recipe or Recipe()
    url, token = git.split_url(spec.source.url, _revealed(spec.source.token))
    secrets = {_TOKEN: token} if token else {}
    secrets |= {_key(number): value.reveal() for number, value in enumerate(recipe.secrets.values())}
    words = _words(spec, recipe, settings.builder.kind)
    env = _environment(spec, recipe, url, bool(token)) | trust.environment(settings, _WORK)
    if settings.builder.cache and not spec.untrusted:
        env["ERRAND_CACHE"] = references.below(settings.builder.cache, spec.image)
    _check_text(*words, *env.values())
    ours = manifests.metadata(spec.key, settings.namespace, spec.about, settings.installation, "build")
    deadline = settings.pending_timeout + spec.timeout + GRACE
    job = manifests.job(ours, _pod(settings, words, env, ours["name"] if secrets else None), deadline)
    return Manifests(job, manifests.secret(ours, secrets))


def hidden(spec: BuildSpec) -> tuple[Secret, ...]:
    """Give what no log may show: git's token, as such or in the URL, and the recipe's secrets."""
    values = list((spec.recipe or Recipe()).secrets.values())
    try:
        _, token = git.split_url(spec.source.url, _revealed(spec.source.token))
    except ValueError:
        return tuple(values)
    return (*values, Secret(token)) if token else tuple(values)


def pushed_to(spec: BuildSpec) -> str:
    """Give the repository that the image goes to; raises ValueError where there is none."""
    if spec.recipe is None or spec.recipe.push is None:
        raise ValueError("The image has no repository in a registry that the cluster could have it from.")
    return references.repository(spec.recipe.push)


def _environment(spec: BuildSpec, recipe: Recipe, url: str, has_token: bool) -> dict[str, str]:
    tree = trees.of_build(spec)
    return {
        **git.environment(url, f"$(cat {_SECRETS}/{_TOKEN})" if has_token else None),
        "ERRAND_REPOSITORY": tree.repository,
        "ERRAND_URL": url,
        "ERRAND_COMMIT": tree.commit,
        "ERRAND_CONTEXT": recipe.context,
        "ERRAND_DOCKERFILE": recipe.dockerfile,
        "ERRAND_PUSH": pushed_to(spec),
        "ERRAND_WORK": _WORK,
        "ERRAND_RESULT": _RESULT,
    }


def _words(spec: BuildSpec, recipe: Recipe, kind: Literal["buildkit", "buildah"]) -> list[str]:
    for name in (*recipe.arguments, *recipe.secrets):
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"Not a name for an argument or a secret of a build: {name[:100]!r}.")
    options = _for_buildkit(spec, recipe) if kind == "buildkit" else _for_buildah(spec, recipe)
    secrets = (f"--secret=id={name},src={_SECRETS}/{_key(n)}" for n, name in enumerate(recipe.secrets))
    return [kind, *options, *secrets]


def _for_buildkit(spec: BuildSpec, recipe: Recipe) -> Iterator[str]:
    yield f"--opt=label:{LABEL}={spec.image}"
    if recipe.target:
        yield f"--opt=target={recipe.target}"
    for name, value in recipe.arguments.items():
        yield f"--opt=build-arg:{name}={value}"


def _for_buildah(spec: BuildSpec, recipe: Recipe) -> Iterator[str]:
    yield f"--label={LABEL}={spec.image}"
    if recipe.target:
        yield f"--target={recipe.target}"
    for name, value in recipe.arguments.items():
        yield f"--build-arg={name}={value}"


def _pod(settings: Settings, words: list[str], env: dict[str, str], secret: str | None) -> Object:
    builder = settings.builder
    volumes: list[Object] = [{"name": "errand-work", "emptyDir": {}}]
    mounts: list[Object] = [{"name": "errand-work", "mountPath": _WORK}]
    if secret:
        source: Object = {"secretName": secret, "defaultMode": _MODE}
        volumes.append({"name": "errand-given", "secret": source})
        mounts.append({"name": "errand-given", "mountPath": _SECRETS, "readOnly": True})
    if builder.registry_secret:
        items = [{"key": ".dockerconfigjson", "path": "config.json"}]
        source = {"secretName": builder.registry_secret, "defaultMode": _MODE, "items": items}
        volumes.append({"name": "errand-registry", "secret": source})
        mounts.append({"name": "errand-registry", "mountPath": _REGISTRY, "readOnly": True})
        env = {**env, "DOCKER_CONFIG": _REGISTRY, "REGISTRY_AUTH_FILE": f"{_REGISTRY}/config.json"}
    pod: Object = {
        "restartPolicy": "Never",
        # The shell is not the first process, so that a SIGTERM ends it.
        "shareProcessNamespace": True,
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": int(GRACE),
        "securityContext": {"fsGroup": _USER},
        "containers": [
            {
                "name": CONTAINER,
                "image": builder.image,
                "command": ["sh", "-c", literal(_SCRIPT), "build", *map(literal, words)],
                "env": [{"name": name, "value": literal(value)} for name, value in env.items()],
                "volumeMounts": mounts,
                "terminationMessagePath": _RESULT,  # not below /dev, which steps of Buildah have
                "securityContext": _security(),
            }
        ],
        "volumes": volumes,
    }
    return merged(merged(pod, settings.pod), builder.pod)


def _security() -> Object:
    """What a builder without root needs: user namespaces and mounts of its own, and newuidmap(1) for them.

    The node's filter of system calls and AppArmor forbid these to who is not root. newuidmap is setuid, and
    of what root may do it needs two things.
    """
    return {
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": True,
        "capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID"]},
        "seccompProfile": {"type": "Unconfined"},
        "appArmorProfile": {"type": "Unconfined"},
    }


def _key(number: int) -> str:
    return f"secret-{number}"


def _revealed(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _check_text(*texts: str) -> None:
    """Raise ValueError for what no argument and no variable can be."""
    if any("\0" in text for text in texts):
        raise ValueError("A NUL byte in the build's target, arguments or image.")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as problem:
        raise ValueError("What a build is given has to be text, in Unicode.") from problem
