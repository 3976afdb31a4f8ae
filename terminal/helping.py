"""How help looks: plain text, since drawing it takes longer than everything else here."""

import re
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from terminal import manual

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

Rows = list[tuple[str, str]]

_SENTENCE = 500
"""Characters of the sentence that a list has of a command: it may take two lines, and is not cut off."""
_BOUNDS = (
    (re.compile(r"\b(\d+)<=x<=(\d+)"), r"from \1 to \2"),
    (re.compile(r"\bx>=(\d+)"), r"at least \1"),
    (re.compile(r"\bx<=(\d+)"), r"at most \1"),
)


class Verb(TyperCommand):
    """A command: its usage and its help name what a value means, not how the program keeps it."""

    def collect_usage_pieces(self, ctx: "Context") -> list[str]:
        """The words that it takes, in order."""
        return [
            *([self.options_metavar] if self.options_metavar else []),
            *map(_piece, _arguments(self, ctx)),
        ]

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Arguments, then options."""
        arguments = [(_name(each), _help(each, ctx)) for each in _arguments(self, ctx)]
        _write(formatter, "Arguments", arguments)
        _write(formatter, "Options", _options(self, ctx))

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """An example."""
        _example(ctx, formatter)


class Verbs(TyperGroup):
    """Commands, in the groups of the manual."""

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """The commands first: they are what somebody looks for."""
        self.format_commands(ctx, formatter)
        _write(formatter, "Options", _options(self, ctx))

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """A section for each group; of commands within a command one section."""
        shown = {name: each for name, each in self.commands.items() if not each.hidden}
        groups = [("Commands", [*shown])]
        if ctx.parent is None:
            groups = [(each.title, [*each.examples]) for each in manual.SECTIONS]
        width = max(map(len, shown), default=0)
        for title, names in groups:
            rows = [
                (name.ljust(width), shown[name].get_short_help_str(_SENTENCE))
                for name in names
                if name in shown
            ]
            _write(formatter, title, rows)

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """An example, or for all commands the words that they have in common."""
        if ctx.parent is not None:
            _example(ctx, formatter)
            return
        _write(formatter, "Values", [*manual.VALUES.items()])
        formatter.write_paragraph()
        formatter.write_text("`errand help COMMAND` tells more of one, with an example.")


class Commands(typer.Typer):
    """A tree of commands with this help."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("cls", Verbs)
        super().__init__(no_args_is_help=True, rich_markup_mode=None, **settings)

    def command(self, *names: Any, **settings: Any) -> Any:
        """As of Typer."""
        settings.setdefault("cls", Verb)
        return super().command(*names, **settings)


def _arguments(command: TyperCommand, ctx: "Context") -> list[Any]:
    return [each for each in command.get_params(ctx) if each.param_type_name == "argument"]


def _options(command: TyperCommand | TyperGroup, ctx: "Context") -> Rows:
    options = [each for each in command.get_params(ctx) if each.param_type_name == "option"]
    records = [each.get_help_record(ctx) for each in options]
    return [(record[0], _bounded(record[1])) for record in records if record is not None]


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _help(argument: Any, ctx: "Context") -> str:
    record = argument.get_help_record(ctx)
    return "" if record is None else _bounded(record[1])


def _piece(argument: Any) -> str:
    """`NAME`, `[NAME]`, `[KEY=VALUE]...`; several words with spaces are a phrase as it is typed."""
    name = _name(argument)
    if not argument.required and not name.startswith("["):
        name = f"[{name}]"
    return f"{name}..." if argument.nargs != 1 and " " not in name else name


def _bounded(text: str) -> str:
    for pattern, words in _BOUNDS:
        text = pattern.sub(words, text)
    return text


def _write(formatter: "HelpFormatter", title: str, rows: Rows) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)


def _example(ctx: "Context", formatter: "HelpFormatter") -> None:
    path = " ".join(ctx.command_path.split()[1:])
    if path in manual.EXAMPLES:
        with formatter.section("Example"):
            formatter.write(f"{'':>{formatter.current_indent}}{manual.EXAMPLES[path]}\n")
