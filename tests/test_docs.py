"""A setting, command or metric that the documentation does not tell of fails here; so does a dead link."""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.main import get_command

from bot.commands.grammar import VERBS
from bot.config import Config, load
from bot.config.document import TextPosition
from bot.config.findings import Finding
from bot.config.meanings import MEANINGS
from bot.config.remarks import inspected
from bot.config.schema import schema
from bot.states import ActorKind, Cause, State
from bot.telemetry.metrics import REGISTRY
from bot.text.units import duration_text
from executor.spec import Result, Secret
from terminal.app import cli
from terminal.findings import Format, report

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
CONFIGURATION = (DOCS / "configuration.md").read_text()
API = (DOCS / "api.md").read_text()
COMMANDS = (DOCS / "commands.md").read_text()
OPERATIONS = (DOCS / "operations.md").read_text()
COMMAND_LINES = OPERATIONS + (DOCS / "cli.md").read_text()
ENVIRON = dict.fromkeys(
    (
        "DATABASE_PASSWORD",
        "DATABASE_URL",
        "GITHUB_APP_ID",
        "GITHUB_CLIENT_SECRET",
        "GITHUB_OLD_WEBHOOK_SECRET",
        "GITHUB_TOKEN",
        "GITHUB_WEBHOOK_SECRET",
    ),
    "value",
) | {
    "ERRAND_URL": "https://errand.example.com",
    "GITHUB_CLIENT_ID": "Iv1.0123456789",
    "SLACK_SIGNING_SECRET": "value",
    "SLACK_BOT_TOKEN": "xoxb-value",
    "SLACK_APP_TOKEN": "xapp-value",
    "GITHUB_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
}


def _models(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models within a type, each with the path from the field to it: nothing, or `.NAME`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif get_origin(annotation) is dict:
        yield from ((f".NAME{path}", model) for path, model in _models(get_args(annotation)[1]))
    elif get_origin(annotation) in (UnionType, Union, Annotated):
        for part in get_args(annotation):
            yield from _models(part)


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the file below `prefix`, as the documentation writes it, with its default."""
    for name, field in model.model_fields.items():
        if name == "name" and prefix.endswith(".NAME."):
            continue  # of an image or a job; it stands as the key above
        name = field.alias or name
        yield f"{prefix}{name}", field.default
        for path, inner in _models(field.annotation):
            yield from _settings(inner, f"{prefix}{name}{path}.")


SETTINGS = {**dict(_settings(Config)), "defaults": None}
ROWS = {
    row[0].strip(" `"): row
    for row in re.findall(r"^\|(.+?)\|(.+?)\|(.*?)\|(.+?)\|$", CONFIGURATION, re.MULTILINE)
}


def _texts(default: Any) -> set[str]:
    """How a default may be written."""
    if default is PydanticUndefined:
        return {"required", "", "none"}
    if default is None or default == ():
        return {"none", "those that an image names", "that of `api_url`"}
    if isinstance(default, tuple):
        return {", ".join(f"`{each}`" for each in default)}
    if isinstance(default, Secret):
        return {f"`{default.reveal()}`"}
    if isinstance(default, bool):
        return {f"`{str(default).lower()}`"}
    if isinstance(default, int) and default >= 2**20:
        return {f"`{default // 2**20}Mi`"}
    if isinstance(default, float):  # mostly seconds
        return {f"`{duration_text(default)}`", f"`{default:g}`"}
    return {f"`{default}`", "none"}


@pytest.mark.parametrize(("key", "default"), SETTINGS.items(), ids=SETTINGS.keys())
def test_setting_is_documented_with_its_default(key: str, default: Any) -> None:
    assert key in ROWS, f"docs/configuration.md has no row for `{key}`"
    assert ROWS[key][2].strip() in _texts(default)


def _plain(meaning: str) -> str:
    """A sentence of the documentation without its links, which lead nowhere in an editor."""
    text = re.sub(r"[,;] see \[[^]]*\]\([^)]*\)", "", meaning)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r" \(see below\)|; see below", "", text).strip()


def test_editors_are_told_what_the_documentation_says() -> None:
    assert {key: _plain(ROWS[key][3]) for key in SETTINGS} == MEANINGS


def test_schema_that_the_sample_names_is_the_one_that_is_printed() -> None:
    first = (ROOT / "app.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=app.schema.json"
    found = json.loads((ROOT / "app.schema.json").read_text())
    assert found == schema(), "`make schema` writes it anew"


def test_check_has_nothing_to_say_of_the_sample(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text((ROOT / "app.yaml").read_text())
    secrets = dict.fromkeys(
        ("GITHUB_CLIENT_SECRET", "GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET", "SLACK_SIGNING_SECRET"),
        "0123456789abcdef0123456789abcdef",
    ) | {"SLACK_BOT_TOKEN": "xoxb-0123456789-abcdef"}
    assert inspected(file, ENVIRON | secrets)[1] == []


def test_json_of_check_is_documented_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"^```json\n(\{\"right.*?)^```", CONFIGURATION, re.MULTILINE | re.DOTALL)
    (finding,) = json.loads(shown)["findings"]
    place = TextPosition(finding["line"], finding["column"])
    report([Finding(finding["file"], finding["message"], place, finding["setting"])], Format.JSON)
    assert json.loads(capsys.readouterr().out) == json.loads(shown)


@pytest.mark.parametrize(
    ("key", "members"), [("state", State), ("result", Result), ("cause", Cause), ("actor", ActorKind)]
)
def test_values_of_the_api_are_documented(key: str, members: type[StrEnum]) -> None:
    (row,) = re.findall(rf"^\| `{key}` \| ((?!only).*) \|$", API, re.MULTILINE)
    assert set(re.findall(r"`([a-z_]+)", row)) == {*members}


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = {key for key in ROWS if re.fullmatch(r"[a-zA-Z_.]+", key)} - {"key", "where"}
    assert documented - {"command, setup", "description, pattern"} <= set(SETTINGS)


EXAMPLES = [
    pytest.param(example, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, example in enumerate(
        re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL), 1
    )
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_in_the_documentation_is_right(example: str, tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(example)
    load(file, ENVIRON)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_command_is_documented_where_it_belongs(verb: Any) -> None:
    row = f"- `/job {verb.usage}`: {verb.summary}\n"
    assert row in COMMANDS
    for flag in verb.flags:
        assert f"- `{flag.usage}`: {flag.summary}\n" in COMMANDS


def test_no_command_is_documented_that_does_not_exist() -> None:
    rows = re.findall(r"^- `/job (\w+)", COMMANDS, re.MULTILINE)
    assert sorted(rows) == sorted(VERBS)


def _metrics() -> list[str]:
    """The names of Errand's own metrics as `/metrics` shows them."""
    families = [family for family in REGISTRY.collect() if family.name.startswith("errand_")]
    return [f"{family.name}_total" if family.type == "counter" else family.name for family in families]


@pytest.mark.parametrize("metric", _metrics())
def test_metric_is_documented(metric: str) -> None:
    text = "\n".join(page.read_text() for page in DOCS.glob("*.md"))
    assert f"`{metric}`" in text, f"no page in docs/ tells of `{metric}`"


def _commands(command: Any, typed: str) -> Iterator[tuple[str, set[str]]]:
    """Every command of the command line, as it is typed, with its own options."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{typed} {name}")
    if not hasattr(command, "commands"):
        options = {option for each in command.params for option in each.opts if option.startswith("--")}
        yield typed, options - {"--config", "--help"}


COMMAND_LINE = dict(_commands(get_command(cli), "errand"))


@pytest.mark.parametrize(("command", "options"), COMMAND_LINE.items(), ids=COMMAND_LINE.keys())
def test_command_of_the_command_line_is_documented_with_its_options(command: str, options: set[str]) -> None:
    row = re.search(rf"^\| `{command}(?: [A-Z]+)*` \|(.*)$", COMMAND_LINES, re.MULTILINE)
    assert row, f"neither docs/operations.md nor docs/cli.md has a row for `{command}`"
    for option in options:
        assert f"`{option}" in row[1]


def test_no_command_of_the_command_line_is_documented_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `(errand [a-z ]*[a-z])", COMMAND_LINES, re.MULTILINE)
    assert sorted(rows) == sorted(COMMAND_LINE)


def _anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", re.sub(r"`[^`]*`", "", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    assert [page.name for page in DOCS.glob("*.md") if f"({page.name})" not in index] == ["README.md"]


def test_every_decision_is_dated_and_linked() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    for page in (DOCS / "decisions").glob("*.md"):
        assert f"(docs/decisions/{page.name})" in contributing
        assert page.read_text().split("\n")[2].startswith(f"{page.name[:10]}. ")


def test_commits_are_checked_by_what_the_tests_begin_with() -> None:
    run = (ROOT / "tests" / "run").read_text()
    checks = re.findall(r"^(ruff [^|\n]*\.|lint-imports|mypy)", run, re.MULTILINE)
    entries = re.findall(r"entry: \.venv/bin/(.*)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert entries == checks != []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_knows_what_a_page_tells_to_make(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", page.read_text(), re.MULTILINE)) <= targets
