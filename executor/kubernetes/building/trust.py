"""How builders are told of registries that speak plain HTTP or have an authority of their own. Pure.

BuildKit: https://github.com/moby/buildkit/blob/master/docs/buildkitd.toml.md
Buildah: containers-registries.conf.d(5) and containers-certs.d(5)
"""

import json

from executor.kubernetes.settings import Settings


def environment(settings: Settings, work: str) -> dict[str, str]:
    """Give the variables of `build.sh` that say it; none where no registry needs it.

    `work` is the directory in which the script puts each authority into `certs/HOST/ca.crt`.
    """
    if not settings.registries:
        return {}
    with_ca = {host: registry.ca for host, registry in settings.registries.items() if registry.ca}
    lines = _of_buildkit if settings.builder.kind == "buildkit" else _of_buildah
    return {
        "ERRAND_REGISTRIES": lines(settings, work),
        "ERRAND_AUTHORITIES": " ".join(with_ca),
        **{f"ERRAND_AUTHORITY_{number}": ca for number, ca in enumerate(with_ca.values(), 1)},
    }


def _of_buildkit(settings: Settings, work: str) -> str:
    """Give the buildkitd.toml."""
    lines = []
    for host, registry in settings.registries.items():
        lines.append(f"[registry.{json.dumps(host)}]")
        lines.append(
            "http = true" if registry.http else f"ca = [{json.dumps(f'{work}/certs/{host}/ca.crt')}]"
        )
    return "\n".join(lines) + "\n"


def _of_buildah(settings: Settings, work: str) -> str:
    """Give what is added to registries.conf; authorities are found by where they lie."""
    open_ones = [host for host, registry in settings.registries.items() if registry.http]
    return "".join(f"[[registry]]\nlocation = {json.dumps(host)}\ninsecure = true\n" for host in open_ones)
