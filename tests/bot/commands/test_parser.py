"""Lines become commands, mistakes become sentences, and every command can be written and read again."""

import shlex
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.commands.markdown import MASK, commands_in
from bot.commands.parser import (
    Approve,
    Build,
    Cancel,
    Command,
    Deny,
    Freeze,
    Help,
    List,
    Lock,
    Login,
    Logs,
    Pause,
    PauseAll,
    Plan,
    Rerun,
    Resume,
    ResumeAll,
    Run,
    Skip,
    Status,
    Thaw,
    Unlock,
    Why,
    parse,
    verb_of,
)
from bot.commands.reader import split
from bot.errors import AskerError

READ = {
    "/job": Help(),
    "/job help": Help(),
    "/job help run": Help("run"),
    "/job help migrate": Help("migrate"),
    "/job run migrate": Run("migrate"),
    "/job run migrate A=1 B='two words' C=": Run("migrate", {"A": "1", "B": "two words", "C": ""}),
    "/job run migrate A==b=c": Run("migrate", {"A": "=b=c"}),
    '/job run migrate A="x y"z': Run("migrate", {"A": "x yz"}),
    "/job run migrate A=$HOME B=* C=~ D=`": Run("migrate", {"A": "$HOME", "B": "*", "C": "~", "D": "`"}),
    "/job run migrate --ref main": Run("migrate", ref="main"),
    "/job run migrate --ref=release/1.2 A=1": Run("migrate", {"A": "1"}, "release/1.2"),
    "/job run --ref main migrate": Run("migrate", ref="main"),
    "/job run migrate --image v1.2": Run("migrate", image_tag="v1.2"),
    "/job run migrate -- --ref x A=1 --": Run("migrate", arguments=("--ref", "x", "A=1", "--")),
    "/job run migrate --": Run("migrate"),
    "/job  run\tmigrate ": Run("migrate"),
    "/job rerun": Rerun(),
    "/job rerun #142": Rerun(142),
    "/job rerun 142 A=2 --latest": Rerun(142, parameters={"A": "2"}, latest=True),
    "/job rerun migrate": Rerun(name="migrate"),
    "/job rerun A=2": Rerun(parameters={"A": "2"}),
    "/job cancel": Cancel(),
    "/job cancel #7": Cancel(7),
    "/job cancel nightly-backfill": Cancel(name="nightly-backfill"),
    "/job logs 7": Logs(7),
    "/job status": Status(),
    "/job status #7": Status(7),
    "/job status migrate": Status(name="migrate"),
    "/job status --page 2": Status(page=2),
    "/job status migrate --page=3": Status(name="migrate", page=3),
    "/job help migrate 2": Help("migrate", 2),
    "/job list": List(),
    "/job plan migrate A=1 --ref main -- x": Plan("migrate", {"A": "1"}, "main", None, ("x",)),
    "/job why migrate": Why("migrate"),
    "/job build shop --ref main": Build("shop", "main"),
    "/job pause nightly": Pause("nightly"),
    "/job pause nightly for 1h30m": Pause("nightly", duration=5400.0),
    "/job pause nightly until 2030-01-31T18:00": Pause("nightly", until="2030-01-31T18:00"),
    "/job pause nightly until 2030-01-31 18:00+02:00": Pause("nightly", until="2030-01-31T18:00+02:00"),
    "/job pause nightly until 18:00": Pause("nightly", until="18:00"),
    "/job pause nightly/eu": Pause("nightly", schedule="eu"),
    '/job pause nightly/eu "full disks" for 2h': Pause("nightly", None, 7200.0, "eu", "full disks"),
    '/job pause --all "maintenance" for 2h': PauseAll(None, 7200.0, "maintenance"),
    "/job pause --all": PauseAll(),
    "/job resume --all": ResumeAll(),
    "/job resume nightly/eu": Resume("nightly", "eu"),
    "/job skip nightly/eu": Skip("nightly", "eu"),
    "/job resume nightly": Resume("nightly"),
    "/job skip nightly": Skip("nightly"),
    "/job lock prod": Lock("prod"),
    '/job lock prod "big sale" for 2d': Lock("prod", "big sale", 172800.0),
    "/job lock prod --everyone for 2h": Lock("prod", None, 7200.0, everyone=True),
    "/job lock prod for 2h": Lock("prod", None, 7200.0),
    "/job unlock prod": Unlock("prod"),
    "/job approve #7": Approve(7),
    "/job deny 7": Deny(7),
}


@pytest.mark.parametrize(("line", "command"), READ.items(), ids=READ.keys())
def test_line_is_read_as_the_command_it_says(line: str, command: Command) -> None:
    assert parse(line) == command


REFUSED = {
    "/job pause nightly --all": "`--all` stands in place of a name, before all else",
    "/jobs run a": "A command begins with `/job`",
    "/job rnu a": "Did you mean `run`?",
    "/job stop": "There is no `/job stop`",
    "/job run": "needs the name of a job",
    "/job run A=1": "needs the name of a job",
    "/job run a b": "`b` is one word too many. A parameter is written `KEY=VALUE`",
    "/job run ../a": "`../a` is no name",
    "/job run a 1B=2": "`1B` is no parameter's name",
    "/job run a B-C=2": "`B-C` is no parameter's name",
    "/job run a =2": "is no parameter's name",
    "/job run a B=1 B=2": "`B` is given twice",
    "/job run a --reff x": "Did you mean `--ref`?",
    "/job run a --ref": "`--ref` needs a value",
    "/job run a --ref=": "`--ref` needs a value",
    "/job run a --ref --": "`--ref` needs a value",
    "/job run a --ref x --ref y": "`--ref` is given twice",
    "/job run a --ref=--upload-pack=x": "is no branch, tag or commit",
    "/job run a --ref=a..b": "is no branch, tag or commit",
    "/job run a --ref='a b'": "is no branch, tag or commit",
    "/job run a --image a/b:c": "is no tag of an image",
    "/job run a -x": "`-x` is no option. Text that begins with `-` goes after `--`",
    "/job run a B='c": "The `'` at character 14 of this command has no end",
    "/job run a '\"' B=\"c": 'The `"` at character 18 of this command has no end',
    "/job run a B\\": "The `\\` at character 13 of this command has no end",
    "/job run a —ref=b": "Long dashes are plain text here",
    "/job run a B=“c d": "The `“` at character 14 of this command has no end",
    "/job /job run a": "The first word stands there twice. Please type `/job run a`",
    "/job run a\u200b": "Character 11 of this command is invisible (`U+200B`)",
    "/job run a B=\u202ec": "is invisible (`U+202E`)",
    "/job run a B=\ufffd": "is invisible",
    "/job run a\u2028b": "is invisible (`U+2028`)",
    "/job run a\nB=c": "is invisible (`U+000A`)",
    "/job run\u00a0a": "Character 9 of this command is an unusual space",
    f"/job run a B={MASK}": "inline code or HTML",
    "/job rerun --latest=yes": "`--latest` takes no value",
    "/job cancel #0": "`#0` is no run's number",
    "/job cancel #x": "`#x` is no run's number",
    "/job cancel #" + "9" * 19: "is no run's number",
    "/job cancel 1 2": "`2` is one word too many",
    "/job cancel A=1": "is no name",
    "/job logs": "needs the number of a run",
    "/job logs migrate": "`migrate` is no run's number",
    "/job list all": "`all` is no page, such as `2`.",
    "/job list -- x": "takes nothing after `--`",
    "/job pause nightly for 0s": "`0s` is no duration",
    "/job pause nightly for ever": "`ever` is no duration",
    "/job pause nightly for 400d": "`400d` is no duration",
    "/job pause nightly until later": "`later` is no time",
    "/job pause nightly until": "needs a time",
    "/job lock prod big sale": "`sale` is one word too many",
    "/job run a B=" + "c" * 4097: "longer than 4096 bytes",
    "/job run a B=" + "é" * 2049: "longer than 4096 bytes",
    "/job " + "a " * 4096: "longer than 8192 bytes",
}


@pytest.mark.parametrize(("line", "sentence"), REFUSED.items(), ids=lambda text: text[:40])
def test_mistake_is_told_with_its_place_and_what_was_meant(line: str, sentence: str) -> None:
    with pytest.raises(AskerError) as refused:
        parse(line)
    assert sentence in str(refused.value)


def test_another_first_word_is_used_in_answers() -> None:
    assert parse("!errand list", "!errand") == List()
    with pytest.raises(AskerError, match="!errand help"):
        parse("!errand nothing", "!errand")


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(
    lambda name: not name.isdigit()
)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
texts = st.text(st.characters(categories=["L", "N", "P", "S", "M"]) | st.just(" "), max_size=60).filter(
    lambda text: "\ufffc" not in text and "\ufffd" not in text
)
refs = st.from_regex(r"[a-z0-9]([a-z0-9_/-]?[a-z0-9]){0,20}", fullmatch=True)
numbers = st.integers(1, 10**18 - 1)
parameters = st.dictionaries(keys, texts, max_size=4)
either = st.one_of(
    st.just((None, None)),
    st.tuples(numbers, st.none()),
    st.tuples(st.none(), names.filter(lambda n: "#" not in n)),
)
reasons = texts.filter(lambda text: text != "for" and not text.startswith("-"))
durations = st.integers(1, 366 * 86400).map(float)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(Run, names, parameters, st.none() | refs, st.none() | refs.filter(lambda r: "/" not in r),
              st.lists(texts, max_size=3).map(tuple)),
    st.builds(Plan, names, parameters, st.none() | refs, st.none(), st.lists(texts, max_size=3).map(tuple)),
    st.builds(lambda to, given, new: Rerun(to[0], to[1], given, new), either, parameters, st.booleans()),
    either.map(lambda pair: Cancel(*pair)),
    either.map(lambda pair: Status(*pair)),
    st.builds(Logs, numbers),
    st.just(List()),
    st.builds(Why, names),
    st.builds(Pause, names, st.none(), st.none() | durations),
    st.builds(PauseAll, st.none(), st.none() | durations),
    st.just(ResumeAll()),
    st.builds(Pause, names, st.datetimes().map(lambda moment: moment.isoformat())),
    st.builds(Resume, names),
    st.builds(Skip, names),
    st.builds(Lock, names, st.none() | reasons, st.none() | durations),
    st.builds(Unlock, names),
    st.builds(Freeze, st.none() | reasons, st.none(), st.none() | durations, *[st.none() | names] * 3),
    st.builds(Thaw, st.none() | names, st.none() | names, st.none() | names),
    st.builds(Approve, numbers),
    st.builds(Deny, numbers),
    st.builds(Build, names, st.none() | refs),
    st.builds(Help, st.none() | names),
)  # fmt: skip


def _words(command: Command) -> Iterable[str]:
    """The words that a person would type for `command`."""
    match command:
        case Run() | Plan():
            yield command.name
            yield from (f"{key}={value}" for key, value in command.parameters.items())
            yield from ([f"--ref={command.ref}"] if command.ref else [])
            yield from (["--image", command.image_tag] if command.image_tag else [])
            yield from (["--", *command.arguments] if command.arguments else [])
        case Rerun() | Cancel() | Status():
            yield from ([f"#{command.number}"] if command.number else [])
            yield from ([command.name] if command.name else [])
            if isinstance(command, Rerun):
                yield from (f"{key}={value}" for key, value in command.parameters.items())
                yield from (["--latest"] if command.latest else [])
        case Logs() | Approve() | Deny():
            yield str(command.number)
        case Pause():
            yield command.name + (f"/{command.schedule}" if command.schedule else "")
            yield from ([command.reason] if command.reason is not None else [])
            yield from (["until", command.until] if command.until else [])
            yield from (["for", f"{command.duration:.0f}s"] if command.duration else [])
        case Lock():
            yield command.target
            yield from ([command.reason] if command.reason is not None else [])
            yield from (["for", f"{command.duration:.0f}"] if command.duration else [])
        case Unlock():
            yield command.target
        case Build():
            yield command.image
            yield from (["--ref", command.ref] if command.ref else [])
        case Help():
            yield from ([command.topic] if command.topic else [])
        case Freeze() | Thaw():
            yield from _frozen(command)
        case List() | Login():
            pass
        case PauseAll() | ResumeAll():
            yield "--all"
            if isinstance(command, PauseAll):
                yield from ([command.reason] if command.reason is not None else [])
                yield from (["until", command.until] if command.until else [])
                yield from (["for", f"{command.duration:.0f}"] if command.duration else [])
        case _:
            yield command.name


def _frozen(command: Freeze | Thaw) -> Iterable[str]:
    if isinstance(command, Freeze):
        yield from ([command.why] if command.why is not None else [])
        yield from (["for", f"{command.duration:.0f}"] if command.duration else [])
    for name in ("job", "lock", "environment"):
        value = getattr(command, name)
        yield from ([f"--{name}={value}"] if value is not None else [])


@settings(deadline=None)
@given(commands)
def test_what_is_written_for_a_command_is_read_as_that_command(command: Command) -> None:
    line = shlex.join(["/job", verb_of(command), *_words(command)])
    if len(line.encode()) <= 8192:
        assert parse(line) == command


@settings(deadline=None)
@given(
    st.builds(Run, names, st.dictionaries(keys, st.from_regex(r"[\w./:-]{0,20}", fullmatch=True), max_size=3))
)
def test_a_plain_command_in_a_comment_is_the_command_that_runs(command: Run) -> None:
    line = shlex.join(["/job", "run", *_words(command)])
    assert [parse(found) for found in commands_in(f"Hi!\n{line}\nThanks")] == [command]


@settings(deadline=None)
@given(st.text(max_size=200) | st.text(st.sampled_from("/job run a=-'\"\\ `<!@>\n#1"), max_size=60))
def test_any_text_is_a_command_or_a_sentence_that_mentions_and_links_nothing(text: str) -> None:
    answer = ""
    try:
        parse(f"/job {text}")
    except AskerError as error:
        answer = str(error)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(answer)
    inline = [child for token in tokens for child in token.children or []]
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert {child.type for child in inline} <= {"text", "code_inline"}
    assert "<" not in answer
    assert not any("@" in child.content for child in inline if child.type == "text")


QUOTES = {
    "NOTE=“one two”": "NOTE=one two",
    "NOTE=‘one two’": "NOTE=one two",
    "„NOTE=one two“": "NOTE=one two",
    "NOTE=“it’s fine”": "NOTE=it’s fine",
    "NOTE=‘it’s fine’": "NOTE=it’s fine",
    "NOTE=it’s": "NOTE=it’s",
    "NOTE='a “b” c'": "NOTE=a “b” c",
    'NOTE="a “b” c"': "NOTE=a “b” c",
    "NOTE=“one two\"": "NOTE=one two",
    "NOTE=\\“one": "NOTE=“one",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "meant"), QUOTES.items())
def test_quotes_that_a_keyboard_curled_count_as_plain_ones(typed: str, meant: str) -> None:
    assert split(f"/job {typed} x") == ["/job", meant, "x"]
