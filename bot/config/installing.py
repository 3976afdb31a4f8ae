"""What `errand manifest kubernetes` prints: all that has to be applied, made from the file as it is written.

Secrets are not looked at. Where the file takes them from the environment anything stands in, and a file that
holds one itself is refused, since it becomes a ConfigMap.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from bot.catalog.conditions import SecretReference, is_object_name
from bot.catalog.images import is_reference
from bot.config.clusters import cluster_settings
from bot.config.config import Config
from bot.config.document import Document, Value
from bot.config.loading import checked, source
from bot.config.stand_ins import (
    SECRETS,
    VariableUse,
    build_secrets,
    pieces,
    place_of,
    stand_ins,
    texts,
    variable_uses,
)
from bot.errors import Refused
from executor import references
from executor.kubernetes.installing.access import Uses, rules
from executor.kubernetes.installing.installation import HOME, Bot, objects
from executor.kubernetes.installing.writing import written

_API = (443, 6443)
"""Where API servers listen, and where GitHub, Slack and registries do."""
_POSTGRESQL = 5432
_QUANTITY = re.compile(r"[1-9][0-9]{0,6}(?:Ki|Mi|Gi|Ti)", re.ASCII)
_IN_CLEAR = "holds its secret itself, and this file becomes a ConfigMap; write ${NAME}"


@dataclass(frozen=True, slots=True)
class InstallationRequest:
    """How Errand is to run in the cluster, as the command line says it.

    `secrets` are those (`NAMESPACE/NAME`) that Errand may read besides the ones that the file names.
    """

    namespace: str
    image: str
    replicas: int = 1
    storage: str = "10Gi"
    secrets: tuple[str, ...] = ()


def uses_of(config: Config) -> Uses:
    """What jobs and images of the file ask of the cluster."""
    secrets: dict[str, frozenset[str]] = {}
    for job in config.jobs.values():
        image = config.images.get(job.image or "")
        namespace = (image.namespace if image else None) or config.engine.kubernetes.namespace
        names = {value.secret for value in job.env.values() if isinstance(value, SecretReference)}
        secrets[namespace] = secrets.get(namespace, frozenset()) | names
    lives = (image.live for image in config.images.values())
    return Uses(tuple(live for live in lives if live is not None), secrets)


def manifest(path: FilePath, environ: Mapping[str, str], request: InstallationRequest) -> str:
    """The objects to apply, as YAML; ConfigError with every mistake, Refused for what cannot be."""
    read = source(path, environ)
    document = read.document
    found = list(variable_uses(document.data))
    config = None
    if not document.mistakes:
        _refuse_secrets(document)
        config = checked(document, {**stand_ins(document.data, found), **read.environ})
    if config is None or read.is_wrong():
        raise read.refused()
    _check_words(request)
    _check(path, config, request)
    bot = Bot(
        namespace=request.namespace,
        image=request.image,
        config=path.read_text(encoding="utf-8-sig"),
        replicas=request.replicas,
        variables=_variables(document.data, found),
        directories=tuple(dict.fromkeys(_directories(config))),
        ports=tuple(dict.fromkeys(_ports(config))),
        storage=request.storage,
    )
    settings, uses = cluster_settings(config), _with_secrets(uses_of(config), request.secrets)
    return _heading(bot, settings.namespace) + written(objects(bot, rules(settings, uses)))


def _with_secrets(uses: Uses, more: tuple[str, ...]) -> Uses:
    secrets = dict(uses.secrets)
    for text in more:
        namespace, _, name = text.partition("/")
        if not (is_object_name(namespace) and is_object_name(name)):
            raise Refused(f"--secret: expected NAMESPACE/NAME, such as prod/shop-env, not {text[:100]!r}.")
        secrets[namespace] = secrets.get(namespace, frozenset()) | {name}
    return replace(uses, secrets=secrets)


def _check_words(request: InstallationRequest) -> None:
    """Raise Refused where the command line says what no cluster takes."""
    if not is_object_name(request.namespace) or "." in request.namespace:
        raise Refused(f"--namespace: expected the name of a namespace, not {request.namespace[:100]!r}.")
    if not is_reference(request.image):
        rest = f"not {request.image[:100]!r}"
        raise Refused(f"--image: expected an image such as registry.example.com/errand:1, {rest}.")
    if not _QUANTITY.fullmatch(request.storage):
        raise Refused(f"--storage: expected a size such as 10Gi, not {request.storage[:100]!r}.")


def _check(path: FilePath, config: Config, request: InstallationRequest) -> None:
    """Raise Refused where this file is not one for a bot in a cluster."""
    cluster = config.engine.kubernetes
    if config.engine.kind != "kubernetes":
        raise Refused(f"{path}: engine.kind is {config.engine.kind}; this needs kubernetes.")
    if cluster.context is not None or cluster.kubeconfig is not None:
        raise Refused(
            f"{path}: engine.kubernetes.context and kubeconfig are for an Errand outside of the cluster; "
            "leave them out, and the one inside uses the cluster that it runs in."
        )
    if request.replicas > 1 and config.database.reveal().startswith("sqlite:"):
        raise Refused(f"{path}: more than one bot needs PostgreSQL; database is SQLite, which serves one.")


def _heading(bot: Bot, namespace: str) -> str:
    needed = [name for name, required in bot.variables.items() if required]
    values = "".join(f" \\\n#     --from-literal={name}=..." for name in needed)
    lines = ["# What these objects need, made once before they are applied:"]
    lines += [f"#   kubectl create namespace {name}" for name in dict.fromkeys([bot.namespace, namespace])]
    if bot.variables:
        lines.append(f"#   kubectl create secret generic errand --namespace={bot.namespace}{values}")
    return "\n".join(lines) + "\n"


def _variables(data: Value, found: list[VariableUse]) -> dict[str, bool]:
    """The variables that Errand is to have, and whether it cannot do without."""
    made = dict.fromkeys(build_secrets(data), True)
    for _, reference, _ in found:
        made[reference.name] = made.get(reference.name, False) or reference.default is None
    return dict(sorted(made.items()))


def _refuse_secrets(document: Document) -> None:
    """Add to the mistakes what the file itself says of secrets."""
    for path, text in texts(document.data):
        if place_of(path) not in SECRETS:
            continue
        literal = "".join(piece if isinstance(piece, str) else piece.default or "" for piece in pieces(text))
        secret = _password(literal) if path == ("database",) else literal
        if secret:
            document.wrong(path, _IN_CLEAR)


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None  # told by the checks


def _directories(config: Config) -> Iterator[PurePosixPath]:
    """What has to last and does not lie below the directory that Errand starts in."""
    database = config.database.reveal()
    places = [PurePosixPath(config.logs.directory)]
    if database.startswith("sqlite:///"):
        places.append(PurePosixPath(database.removeprefix("sqlite:///")).parent)
    for place in places:
        if place.is_absolute() and not place.is_relative_to(HOME):
            yield place


def _ports(config: Config) -> Iterator[int]:
    """Where Errand connects to, over TCP."""
    yield from _API
    database = urlsplit(config.database.reveal())
    if database.scheme == "postgresql":
        yield database.port or _POSTGRESQL
    github, slack = config.github, config.slack
    addresses = [github.api_url, github.fetch_url] if github else []
    addresses += [slack.api_url] if slack else []
    addresses += _registries(config)
    for address in map(urlsplit, addresses):
        yield address.port or (80 if address.scheme == "http" else 443)


def _registries(config: Config) -> Iterator[str]:
    """The addresses of registries that are asked for tags and digests: of images, and of the section."""
    known = config.engine.kubernetes.registries
    named = [name for image in config.images.values() for name in (image.reference, image.push) if name]
    hosts = [host for host in map(_host, named) if host is not None]
    for host in dict.fromkeys([*hosts, *known]):
        yield f"{'http' if host in known and known[host].http else 'https'}://{host}"


def _host(image: str) -> str | None:
    """The registry of an image; None for one of no registry, and for Docker's, which listens where all do."""
    reference = references.parse(image)
    return None if reference.is_local else reference.host
