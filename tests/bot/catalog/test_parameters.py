"""What may be given to a job, and in which form it arrives."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.catalog.parameters import Parameter, variable_name


def _parameter(**keys: Any) -> Parameter:
    return Parameter.model_validate(keys)


@pytest.mark.parametrize(
    ("keys", "text", "normal"),
    [
        ({}, "any text", "any text"),
        ({}, "", ""),
        ({"type": "integer"}, "+007", "7"),
        ({"type": "integer"}, "-0", "0"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "5", "5"),
        ({"type": "number"}, "1.50", "1.5"),
        ({"type": "number"}, "100", "100"),
        ({"type": "number", "maximum": 0.1}, "0.1", "0.1"),
        ({"type": "boolean"}, "YES", "true"),
        ({"type": "boolean"}, "0", "false"),
        ({"choices": ["eu", "us"]}, "eu", "eu"),
        ({"type": "integer", "choices": [1, 2]}, "02", "2"),
        ({"pattern": r"\d{4}-\d{2}-\d{2}"}, "2024-01-31", "2024-01-31"),
        ({"pattern": "a|b"}, "b", "b"),
        ({"pattern": "(?i)abc"}, "ABC", "ABC"),
    ],
)
def test_allowed_value_arrives_in_its_normal_form(keys: dict[str, Any], text: str, normal: str) -> None:
    assert _parameter(**keys).accept(text) == normal


@pytest.mark.parametrize(
    ("keys", "text", "expected"),
    [
        ({"type": "integer"}, "1.0", "an integer"),
        ({"type": "integer"}, "", "an integer"),
        ({"type": "integer"}, "٣", "an integer"),
        ({"type": "integer"}, "1" * 19, "an integer"),
        ({"type": "integer", "minimum": 1}, "0", "an integer from 1"),
        ({"type": "number", "maximum": 0.5}, "0.51", "a number up to 0.5"),
        ({"type": "number"}, "nan", "a number"),
        ({"type": "number"}, "1e400", "a number"),
        ({"type": "boolean"}, "maybe", "`true` or `false`"),
        ({"choices": ["eu", "us"]}, "EU", "one of `eu`, `us`"),
        ({"pattern": "a|b"}, "ab", "text that matches"),
        ({"pattern": "a"}, "a\n", "text that matches"),
        ({"pattern": "(?m)a"}, "a\nb", "text that matches"),
        ({}, "a\0b", "without NUL"),
        ({}, "\ud800", "half characters"),
        ({}, "é" * 2049, "at most 4096 bytes"),
    ],
)
def test_other_value_is_refused_with_what_is_allowed(keys: dict[str, Any], text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        _parameter(**keys).accept(text)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"pattern": "("},
        {"pattern": "(?x)a # "},
        {"pattern": "a)|(b"},
        {"pattern": "(?=a)"},
        {"pattern": r"(a)\1"},
        {"pattern": "((a{1000}){1000}){1000}"},
        {"pattern": "a", "type": "integer"},
        {"minimum": 1},
        {"minimum": 2, "maximum": 1, "type": "integer"},
        {"choices": ["a", "a"]},
        {"choices": ["1", "x"], "type": "integer"},
        {"choices": ["a"], "pattern": "a"},
        {"default": "b", "choices": ["a"]},
        {"default": 0, "minimum": 1, "type": "integer"},
        {"default": "x", "pattern": "y"},
        {"default": "x", "required": True},
        {"type": "date"},
        {"unknown": 1},
    ],
)
def test_definition_that_cannot_be_met_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _parameter(**keys)


@pytest.mark.parametrize(
    ("keys", "default"),
    [
        ({"default": 500, "type": "integer"}, "500"),
        ({"default": True, "type": "boolean"}, "true"),
        ({"default": 0.5, "type": "number"}, "0.5"),
        ({"default": ""}, ""),
    ],
)
def test_default_of_any_yaml_type_becomes_text(keys: dict[str, Any], default: str) -> None:
    assert _parameter(**keys).default == default


@pytest.mark.parametrize(
    "name", ["SINCE", "a", "_x9", "PYTHONUNBUFFERED", "DJANGO_SETTINGS_MODULE", "PAGER", "GOPATH"]
)
def test_ordinary_name_is_taken(name: str) -> None:
    assert variable_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "path", "LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "ENV", "IFS"),
        *(
            "LUA_INIT",
            "LUA_INIT_5_4",
            "OPENSSL_CONF",
            "OPENSSL_MODULES",
            "PERL5SHELL",
            "DOTNET_STARTUP_HOOKS",
        ),
        *("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CORECLR_PROFILER_PATH", "GLIBC_TUNABLES"),
        *(
            "RUSTC_WRAPPER",
            "LESSOPEN",
            "PHP_INI_SCAN_DIR",
            "npm_config_script_shell",
            "MAKEFLAGS",
            "BUN_OPTIONS",
        ),
        *("HOME", "SHELL", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "NODE_OPTIONS", "GIT_SSH_COMMAND"),
        *(
            "ERRAND_TOKEN",
            "BASH_FUNC_x",
            "PERL5OPT",
            "RUBYOPT",
            "",
            "1A",
            "A-B",
            "A B",
            "A=B",
            "Å",
            "A" * 101,
        ),
    ],
)
def test_name_that_would_hurt_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a name|would change"):
        variable_name(name)


def test_pattern_with_nested_repetition_takes_no_longer_for_a_hostile_value() -> None:
    parameter = _parameter(pattern="(a+)+b|(a*)*c|(a|a)*d")
    start = time.process_time()
    with pytest.raises(ValueError, match="expected text"):
        parameter.accept("a" * 4096)
    assert time.process_time() - start < 2.0


@settings(deadline=None)
@given(st.text(max_size=50), st.sampled_from(["string", "integer", "number", "boolean"]))
def test_normal_form_of_a_normal_form_is_itself(text: str, kind: str) -> None:
    parameter = _parameter(type=kind)
    try:
        normal = parameter.accept(text)
    except ValueError:
        return
    assert parameter.accept(normal) == normal


@settings(deadline=None)
@given(st.integers(-(10**17), 10**17))
def test_every_integer_is_taken_as_it_is(number: int) -> None:
    assert _parameter(type="integer").accept(str(number)) == str(number)


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        (r"\d+", "42", True),
        (r"\d+", "\u0664\u0662", False),  # Arabic digits
        (r"[\d.]+", "\uff14", False),  # full width
        (r"\D+", "\u0664", True),
        (r"\w+", "a_1", True),
        (r"\w+", "\u0430dmin", False),  # a Cyrillic letter that looks like ours
        (r"[\w-]+", "\u0665", False),
        (r"[^\W]+", "\u0665", False),
        (r"a\sb", "a b", True),
        (r"(?x) a [\s] b", "a b", True),
        (r"a\sb", "a\u00a0b", False),
        (r"\bab\b", "ab", True),
        (r"\\d", "\\d", True),  # an escaped backslash, then a letter
        (r"[\p{L}]+", "Zo\u00eb", True),
        (r"\p{Nd}", "\u0664", True),
    ],
)
def test_short_classes_of_a_pattern_are_ascii(pattern: str, value: str, fits: bool) -> None:
    parameter = Parameter(pattern=pattern)
    if fits:
        assert parameter.accept(value) == value
    else:
        with pytest.raises(ValueError, match="text that matches"):
            parameter.accept(value)
