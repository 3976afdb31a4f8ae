"""What `errand check` remarks on of how images are built: who could take what from whom."""

from collections.abc import Iterator, Mapping

from bot.config.config import Config
from bot.config.document import Path

_SOME = 3
"""Repositories that are named; of more only how many there are."""
_REMOTE = ("--remote", "-r", "--url", "--connection", "-c", "--host", "-H", "--context")
"""Options with which a command speaks to an engine elsewhere, which keeps images in its own way."""
_ELSEWHERE = ("CONTAINER_HOST", "CONTAINER_CONNECTION")

_TOGETHER = "{} one storage for all builds: those of {} could use each other's layers, images by their id, and the logins to registries (docs/engines.md, Kept apart)"
_ONE_USER = "jobs and builds of {} run as one user of this machine, and could read each other's files (docs/engines.md)"
_TAG = "{} is named by tag, and who can move that gets the code, the logins and the secrets of builds; name it by digest: `skopeo inspect --format '{{{{.Digest}}}}' docker://{}` prints it"


def on_builds(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Remarks with the settings that they are about; `environ` is the one of Errand itself."""
    repositories = sorted({image.repository for image in config.images.values() if image.repository})
    if not repositories:
        return
    engine = config.engine
    if engine.kind == "kubernetes" and "@" not in engine.kubernetes.builder.used_image:
        image = engine.kubernetes.builder.used_image
        yield ("engine", "kubernetes", "builder", "image"), _TAG.format(image, image)
    if len(repositories) < 2:
        return
    if engine.kind == "process":
        yield ("engine", "kind"), _ONE_USER.format(_named(repositories))
    elif engine.kind == "container":
        for path, what in _shared(config, environ):
            yield path, _TOGETHER.format(what, _named(repositories))


def _shared(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Why builds are not kept apart, if they are not."""
    container, path = config.engine.container, ("engine", "container")
    options = [word for word in container.arguments if word.partition("=")[0] in _REMOTE]
    if container.command == "docker":
        yield (*path, "command"), "Docker has"
    elif options:
        yield (*path, "arguments"), f"Podman elsewhere ({options[0].partition('=')[0]}) has"
    elif named := [name for name in _ELSEWHERE if environ.get(name)]:
        yield path, f"Podman elsewhere ({named[0]}) has"
    elif container.storage == "shared":
        yield (*path, "storage"), "this is"


def _named(repositories: list[str]) -> str:
    if len(repositories) > _SOME:
        return f"{len(repositories)} repositories"
    return f"{', '.join(repositories[:-1])} and {repositories[-1]}"
