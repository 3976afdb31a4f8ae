"""What stands for secrets that are not there: for what reads an `app.yaml` without needing them.

A file can so be read on a machine that has none of its secrets, and before there are any.
"""

from collections.abc import Iterator, Mapping

from bot.config.document import Path, Value
from bot.config.interpolation import Reference, pieces_of
from bot.config.loading import treatment
from bot.config.slack_tokens import LOOKS, Kind

_STAND_IN = "stand-in"

SECRETS: Mapping[Path, str] = {
    ("database",): "postgresql://localhost/errand",
    ("github", "private_key"): "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
    ("github", "token"): _STAND_IN,
    ("github", "webhook_secret"): _STAND_IN,
    ("github", "client_secret"): _STAND_IN,
    ("slack", "bot_token"): LOOKS[Kind.BOT_TOKEN].prefix + _STAND_IN,
    ("slack", "app_token"): LOOKS[Kind.APP_TOKEN].prefix + _STAND_IN,
    ("slack", "signing_secret"): _STAND_IN,
}
"""Where the file holds secrets, with what stands in for one that this environment does not have."""

IDS: Mapping[Path, str] = {("github", "app_id"): "1", ("github", "client_id"): "Iv1.standin"}
"""The same of what is no secret, but kept beside them, and changes nothing of what is printed."""


def texts(value: Value, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text of the file with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))


def pieces(text: str) -> list[str | Reference]:
    """What `text` consists of; nothing where that is wrong, which the checks tell."""
    try:
        return [piece for piece in pieces_of(text) if piece != ""]
    except ValueError:
        return []


VariableUse = tuple[Path, Reference, bool]
"""Where a variable is used, and whether nothing else stands there."""


def variable_uses(data: Value) -> Iterator[VariableUse]:
    """Every `${NAME}` that is replaced."""
    for path, text in texts(data):
        if path and treatment(path) in ("now", "late"):
            found = pieces(text)
            yield from ((path, one, len(found) == 1) for one in found if isinstance(one, Reference))


def stand_ins(data: Value, uses: list[VariableUse]) -> dict[str, str]:
    """A value for every variable whose own does not matter here; of the others the real one is needed."""
    made = dict.fromkeys(build_secrets(data), _STAND_IN)
    needed = set()
    for path, reference, alone in uses:
        place = place_of(path)
        if reference.default is not None:
            continue
        if place in SECRETS:
            made[reference.name] = SECRETS[place] if alone else _STAND_IN
        elif place in IDS:
            made.setdefault(reference.name, IDS[place])
        elif treatment(path) == "late":
            made.setdefault(reference.name, _STAND_IN)
        else:
            needed.add(reference.name)
    return {name: text for name, text in made.items() if name not in needed}


def build_secrets(data: Value) -> Iterator[str]:
    """The variables that builds are given by name."""
    for path, text in texts(data):
        if path[:1] == ("images",) and path[2:4] == ("build", "secrets"):
            yield text


def place_of(path: Path) -> Path:
    """The path of a setting, list items left out."""
    return tuple(part for part in path if not isinstance(part, int))
