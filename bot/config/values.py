"""What a single value of `app.yaml` must look like: each type says so itself when a value does not.

A ValueError whose text begins with `expected` is told with what stands in the file; for what may be
a secret the text says it in other words, and the value is never shown.
"""

import ipaddress
import re
import ssl
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from bot.access.principals import PRINCIPAL, Principal, principal
from bot.catalog.conditions import OBJECT_NAME, is_object_name
from bot.catalog.patterns import SIZE, SOME, Form, Within
from bot.config.slack_tokens import LOOKS, Kind, mistake
from bot.text.units import size
from executor.spec import Secret

_REPOSITORIES = "^[A-Za-z0-9_.*-]{1,100}/[A-Za-z0-9_.*-]{1,100}$"
_CLIENT_ID = "^[A-Za-z0-9._]{10,64}$"
_LOGIN = "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
_FIRST_WORD = "^[/!.]?[A-Za-z][A-Za-z0-9-]{0,30}$"
_IDENTIFIER = "^[A-Za-z0-9.]{1,100}$"
_NETWORK = "^[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?$"
_REGISTRY_HOST = "^[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?$"
_DOMAIN = "^[a-z0-9](?:[a-z0-9-]{0,62}\\.)+[a-z][a-z0-9-]{0,62}$"
_SLACK_USER = "^[UW][A-Z0-9]{2,30}$"
"""Patterns that JSON Schema reads as Python does."""


def _secret(value: object) -> object:
    if isinstance(value, Secret):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("a text is needed here")
    if not str(value).strip():
        raise ValueError("this secret is empty")
    return Secret(str(value))


def _private_key(value: Secret) -> Secret:
    """Line ends may come as `\\n`, as environment variables often hold them."""
    text = value.reveal().strip()
    if "\n" not in text:
        text = text.replace("\\n", "\n").strip()
    if not text.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in text:
        raise ValueError("a private key in PEM form is needed here (-----BEGIN … PRIVATE KEY-----)")
    return Secret(text + "\n")


def _slack(kind: Kind) -> AfterValidator:
    """A check that a secret of Slack's is of this kind."""

    def checked(value: Secret) -> Secret:
        problem = mistake(kind, value.reveal())
        if problem is not None:
            raise ValueError(problem)
        return value

    return AfterValidator(checked)


def _secrets(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _size(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("expected a size such as 512k, 64Mi or 1Gi")
    return size(value) if isinstance(value, str) else value


def bytes_between(least: int, most: int, text: str) -> Within:
    """A check that a number of bytes lies within these bounds, which `text` says in words."""
    return Within(least, most, f"expected a size {text}")


def _whole_number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a whole number")
    return value


def count(least: int, most: int) -> Within:
    """A check that a number lies within these bounds."""
    return Within(least, most, f"expected a whole number from {least} to {most}")


def _http_url(value: str) -> str:
    """An address without user, query or fragment; the slash at its end is dropped."""
    try:
        parts = urlsplit(value)
        bad = parts.port == 0 or not parts.hostname or parts.username is not None
    except ValueError:
        bad, parts = True, urlsplit("")
    if bad or parts.scheme not in ("http", "https") or parts.query or parts.fragment or "?" in value:
        raise ValueError("expected an address such as https://errand.example.com")
    if re.search(r"[\s\\\"'<>`]|\.\.|[^\x21-\x7e]", value):
        raise ValueError("expected an address without spaces, quotes, backslashes or ..")
    return value.rstrip("/")


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("expected an address or a network such as 10.0.0.0/8") from None
    return value


def _public_url(value: str) -> str:
    address = _http_url(value)
    if urlsplit(address).path:
        raise ValueError("expected an address without a path: Errand answers at the root of its host")
    return address


def _slack_url(value: str) -> str:
    return _http_url(value) + "/"


def _clone_url(value: str) -> str:
    """An address for git, with `{repository}` where OWNER/NAME belongs."""
    example = "expected an address such as https://github.com/{repository}.git"
    if value.count("{repository}") != 1 or re.search(r"[\s\x00-\x1f\x7f]", value):
        raise ValueError(example)
    rest = value.replace("{repository}", "acme/shop")
    if rest.startswith("file:///"):
        return value
    try:
        _http_url(rest)
    except ValueError:
        raise ValueError(example) from None
    return value


def _database(value: Secret) -> Secret:
    url = value.reveal()
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///") and not re.search(r"[?#]|:memory:", url):
        return value
    if url.startswith("postgresql://") and urlsplit(url).path.strip("/"):
        return value
    raise ValueError("a database is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def _first_word(value: str) -> str:
    if not re.fullmatch(_FIRST_WORD, value):
        raise ValueError("expected one word such as /job: letters, digits and -, with / ! or . in front")
    return value


def _repositories(value: str) -> str:
    if not re.fullmatch(_REPOSITORIES, value):
        raise ValueError("expected a repository such as acme/shop, or acme/* for all of an owner")
    return value


def _app_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _identifier(value: str) -> str:
    if not re.fullmatch(_IDENTIFIER, value):
        raise ValueError("expected the number or the client id of a GitHub App")
    return value


def _slack_user(value: str) -> str:
    if not re.fullmatch(_SLACK_USER, value):
        raise ValueError("expected the id of a Slack user, such as U012AB3CD")
    return value


def _domain(value: str) -> str:
    if not re.fullmatch(_DOMAIN, value) or len(value) > 253:
        raise ValueError("expected the domain of e-mail addresses, in small letters, such as example.com")
    return value


def _client_id(value: str) -> str:
    if not re.fullmatch(_CLIENT_ID, value, re.ASCII):
        raise ValueError("expected the App's client id, such as Iv23abcdefgh")
    return value


def _people(value: object) -> Principal:
    if isinstance(value, Principal):
        return value
    return principal(value if isinstance(value, str) else "")


def _login(value: str) -> str:
    if not re.fullmatch(_LOGIN, value):
        raise ValueError("expected a GitHub login, such as octocat")
    return value


def _directory(value: object) -> object:
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("expected a directory")
    return value


def _socket(value: str) -> str:
    """The path of a Unix socket; `unix://` in front, as in DOCKER_HOST, is left out."""
    path = value.removeprefix("unix://")
    if not path.startswith("/") or not path.isprintable():
        raise ValueError("expected the whole path of a socket, such as /run/podman/podman.sock")
    return path


def _word(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("expected a word of a command, such as --root")
    return value


def _object_name(value: str) -> str:
    if not is_object_name(value):
        raise ValueError("expected a name of small letters, digits, - and . (at most 253)")
    return value


def _registry_host(value: str) -> str:
    if not re.fullmatch(_REGISTRY_HOST, value) or value.partition(":")[0] == "localhost":
        raise ValueError("expected the host of a registry, such as registry.jobs.svc:5000")
    return value


def _authority(value: str) -> str:
    """Certificates of authorities, as text; what is none is refused here rather than by every build."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=value)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("expected certificates in PEM, from -----BEGIN CERTIFICATE----- on") from error
    return value


def _context(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("expected the name of a context in the kubeconfig")
    return value


def _kubeconfig(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("expected the path of a kubeconfig, such as /etc/errand/kubeconfig")
    return value


_SECRET = {"type": ["string", "integer"], "pattern": SOME}
_HTTP = "^[Hh][Tt][Tt][Pp][Ss]?://"

SecretText = Annotated[Secret, BeforeValidator(_secret), WithJsonSchema(_SECRET)]
PrivateKey = Annotated[SecretText, AfterValidator(_private_key), Form("^\\s*-----BEGIN .*PRIVATE KEY-----")]
Secrets = Annotated[
    tuple[SecretText, ...],
    BeforeValidator(_secrets),
    WithJsonSchema({"anyOf": [_SECRET, {"type": "array", "items": _SECRET}]}),
]
SigningSecrets = Annotated[
    tuple[Annotated[SecretText, _slack(Kind.SIGNING_SECRET)], ...],
    BeforeValidator(_secrets),
    WithJsonSchema({"anyOf": [_SECRET, {"type": "array", "items": _SECRET}]}),
]
BotToken = Annotated[SecretText, _slack(Kind.BOT_TOKEN), Form(f"^\\s*{LOOKS[Kind.BOT_TOKEN].prefix}")]
AppToken = Annotated[SecretText, _slack(Kind.APP_TOKEN), Form(f"^\\s*{LOOKS[Kind.APP_TOKEN].prefix}")]
DatabaseUrl = Annotated[SecretText, AfterValidator(_database), Form("^(?:sqlite:///.|postgresql://.)")]
Socket = Annotated[str, AfterValidator(_socket), Form("^(?:unix://)?/")]
Words = Annotated[tuple[Annotated[str, AfterValidator(_word), Form("^.")], ...], Field(max_length=100)]
ObjectName = Annotated[str, AfterValidator(_object_name), Form(OBJECT_NAME)]
RegistryHost = Annotated[str, AfterValidator(_registry_host), Form(_REGISTRY_HOST)]
Authority = Annotated[str, AfterValidator(_authority), Form("^\\s*-----BEGIN CERTIFICATE-----")]
Context = Annotated[str, AfterValidator(_context), Form(SOME)]
Kubeconfig = Annotated[str, AfterValidator(_kubeconfig), Form(SOME)]
Directory = Annotated[Path, BeforeValidator(_directory), WithJsonSchema({"type": "string", "pattern": SOME})]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Size = Annotated[
    int, BeforeValidator(_size), WithJsonSchema({"type": ["string", "integer"], "pattern": SIZE})
]
PublicUrl = Annotated[str, AfterValidator(_public_url), Form(_HTTP)]
GitHubUrl = Annotated[str, AfterValidator(_http_url), Form(_HTTP)]
SlackUrl = Annotated[str, AfterValidator(_slack_url), Form(_HTTP)]
CloneUrl = Annotated[str, AfterValidator(_clone_url), Form("\\{repository\\}")]
FirstWord = Annotated[str, AfterValidator(_first_word), Form(_FIRST_WORD)]
Network = Annotated[str, AfterValidator(_network), Form(_NETWORK)]
Repositories = Annotated[str, AfterValidator(_repositories), Form(_REPOSITORIES)]
AppId = Annotated[
    str,
    BeforeValidator(_app_id),
    AfterValidator(_identifier),
    WithJsonSchema({"type": ["string", "integer"], "pattern": _IDENTIFIER}),
]
SlackUser = Annotated[str, AfterValidator(_slack_user), Form(_SLACK_USER)]
Domain = Annotated[str, AfterValidator(_domain), Form(_DOMAIN)]
Login = Annotated[str, AfterValidator(_login), Form(_LOGIN)]
ClientId = Annotated[str, AfterValidator(_client_id), Form(_CLIENT_ID)]
People = Annotated[
    Principal, BeforeValidator(_people), WithJsonSchema({"type": "string", "pattern": PRINCIPAL})
]
