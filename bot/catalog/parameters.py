"""Parameters of a job: what may be given, and how it reaches the job. Pure.

A parameter travels as an environment variable and in no other way, so its name must be one that
neither a shell, nor a loader, nor a language's start-up reads for itself.
"""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator, model_validator
from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from bot.text.wording import listed, quoted

VALUE_LIMIT = 4096
"""Bytes of one value, in UTF-8."""

NAME = "^[A-Za-z_][A-Za-z0-9_]{0,99}$"
"""What a parameter or a variable may be called, as JSON Schema reads it too."""

CI = "CI"
"""A variable that Errand itself sets, as others do who run things for people; so are all of `ERRAND_*`."""

_HARMFUL = re.compile(
    r"(LD|DYLD|GIT|ERRAND|BASH_FUNC)_.*|PATH|HOME|SHELL|ENV|BASH_ENV|BASHOPTS|SHELLOPTS|IFS|CDPATH|PS4"
    r"|PROMPT_COMMAND|PWD|TMPDIR|ZDOTDIR|GCONV_PATH|GLIBC_TUNABLES|OPENSSL_(CONF\w*|MODULES|ENGINES)"
    r"|NODE_(OPTIONS|PATH|REPL_EXTERNAL_MODULE)|BUN_OPTIONS|NPM_CONFIG_(NODE_OPTIONS|SCRIPT_SHELL|SHELL|GIT)"
    r"|PERL5(LIB|OPT|DB|SHELL)|PERLLIB|RUBY(OPT|LIB|SHELL)|LUA_(INIT|PATH|CPATH)(_5_\d)?|TCLLIBPATH"
    r"|(_JAVA|JAVA_TOOL|JDK_JAVAC?)_OPTIONS|CLASSPATH|(MAVEN|GRADLE|SBT)_OPTS|MAVEN_ARGS"
    r"|DOTNET_(STARTUP_HOOKS|ADDITIONAL_DEPS|SHARED_STORE|GCNAME|GCPATH)"
    r"|(CORECLR|COR)_(ENABLE_PROFILING|PROFILER\w*)"
    r"|GOFLAGS|GOTOOLCHAIN|RUSTFLAGS|RUSTC(_WORKSPACE)?_WRAPPER|(GNU)?MAKEFLAGS|MAKEFILES|LESS(OPEN|CLOSE)"
    r"|PHPRC|PHP_INI_SCAN_DIR|ERL_([AZ]?FLAGS|LIBS)|ELIXIR_ERL_OPTIONS|R_PROFILE(_USER)?|JULIA_LOAD_PATH"
    r"|PYTHON(\w*PATH|HOME|STARTUP|USERBASE|BREAKPOINT|WARNINGS|EXECUTABLE|INSPECT|PLATLIBDIR|CASEOK)",
    re.ASCII | re.IGNORECASE,
)
"""Variables through which a value becomes code, or by which the engine itself finds its way."""

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})([eE][+-]?\d{1,2})?", re.ASCII)
_TRUTH = {"true": "true", "yes": "true", "on": "true", "1": "true"} | dict.fromkeys(
    ("false", "no", "off", "0"), "false"
)

Kind = Literal["string", "integer", "number", "boolean"]

Scalar = str | int | float | bool
"""What may be written where a job sees text."""


def variable_name(name: str) -> str:
    """`name` if it may name a parameter or a variable of a job's environment, else ValueError."""
    if not re.fullmatch(NAME, name):
        raise ValueError("expected a name of letters, digits and _ that does not begin with a digit")
    if _HARMFUL.fullmatch(name):
        raise ValueError(f"{name} would change how programs start or what they load; choose another name")
    return name


def scalar_text(value: object) -> object:
    """A YAML scalar as the text that a job would see; anything else as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


class Parameter(BaseModel):
    """One declared parameter. Values are text; `accept` checks and normalises one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = ""
    type: Kind = "string"
    required: bool = False
    pattern: str | None = None
    choices: tuple[Annotated[str, BeforeValidator(scalar_text, json_schema_input_type=Scalar)], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    default: Annotated[str | None, BeforeValidator(scalar_text, json_schema_input_type=Scalar | None)] = None

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            if info.data.get("type", "string") != "string":
                raise ValueError("only a parameter of type string has a pattern")
            _matcher(value)
        return value

    @field_validator("minimum", "maximum")
    @classmethod
    def _bounds_fit(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None:
            return None
        if info.data.get("type", "integer") not in ("integer", "number"):
            raise ValueError(f"only a parameter of type integer or number has a {info.field_name}")
        least = info.data.get("minimum")
        if info.field_name == "maximum" and least is not None and value < least:
            raise ValueError("expected a maximum that is not below the minimum")
        return value

    @field_validator("choices")
    @classmethod
    def _choices_fit(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        normal = tuple(_normal(info.data.get("type", "string"), _bounded(choice)) for choice in value)
        if len(set(normal)) < len(normal):
            raise ValueError("a choice is listed twice")
        return normal

    @field_validator("default")
    @classmethod
    def _default_fits(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if info.data.get("required"):
            raise ValueError("a required parameter has no default")
        return cls.model_construct(**info.data).accept(value)

    @model_validator(mode="after")
    def _choices_alone(self) -> Self:
        if self.choices and (
            self.pattern is not None or self.minimum is not None or self.maximum is not None
        ):
            raise ValueError(
                "choices already say all that is allowed; leave out pattern, minimum and maximum"
            )
        return self

    @property
    def expectation(self) -> str:
        """What is allowed, for people: `an integer from 1 up to 10000`. Markdown."""
        if self.choices:
            return f"one of {listed(self.choices)}"
        if self.type == "boolean":
            return "`true` or `false`"
        if self.type == "string":
            return f"text that matches {quoted(self.pattern)}" if self.pattern else "text"
        article = "an integer" if self.type == "integer" else "a number"
        low = f" from {_shown(self.minimum)}" if self.minimum is not None else ""
        high = f" up to {_shown(self.maximum)}" if self.maximum is not None else ""
        return article + low + high

    def accept(self, value: str) -> str:
        """The normal form of `value`; ValueError with what is expected (Markdown) if not allowed."""
        normal = _normal(self.type, _bounded(value))
        fits = not self.choices or normal in self.choices
        fits = fits and (self.pattern is None or _matches(self.pattern, normal))
        if self.type in ("integer", "number"):
            number = Decimal(normal)
            fits = fits and (self.minimum is None or number >= Decimal(str(self.minimum)))
            fits = fits and (self.maximum is None or number <= Decimal(str(self.maximum)))
        if not fits:
            raise ValueError(f"expected {self.expectation}")
        return normal


def _shown(number: float) -> str:
    """All digits of a bound: `10000000`, `0.5`."""
    return f"{Decimal(repr(number)).normalize():f}"


def _bounded(value: str) -> str:
    """`value` if any parameter may have it; ValueError for what no environment takes."""
    if len(value.encode(errors="replace")) > VALUE_LIMIT:
        raise ValueError(f"expected at most {VALUE_LIMIT} bytes")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("expected text without NUL characters or half characters")
    return value


def _normal(kind: str, value: str) -> str:
    """The one spelling of a value of this type; ValueError for what is none."""
    if kind == "boolean":
        if value.casefold() not in _TRUTH:
            raise ValueError("expected `true` or `false`")
        return _TRUTH[value.casefold()]
    if kind == "integer":
        if not _INTEGER.fullmatch(value):
            raise ValueError("expected an integer of at most 18 digits")
        return str(int(value))
    if kind == "number":
        try:
            if _NUMBER.fullmatch(value):
                return f"{Decimal(value).normalize():f}" if "e" not in value.lower() else str(Decimal(value))
        except InvalidOperation:
            pass
        raise ValueError("expected a number such as 2 or 0.5")
    return value


_ASCII_CLASSES = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[0-9A-Za-z_]",
    r"\W": "[^0-9A-Za-z_]",
    r"\s": r"[\t\n\v\f\r\x20]",
    r"\S": r"[^\t\n\v\f\r\x20]",
    r"\b": r"(?-u:\b)",
}
"""What the short names of character classes mean, also within brackets, which nest in Rust's engine."""


def _in_ascii(pattern: str) -> str:
    """The pattern with its short classes in ASCII, as shells and most programs read numbers and words.

    By itself the engine takes the digits and letters of all scripts, of which a job knows nothing; who means
    those writes `\\p{L}` or `\\p{Nd}`.
    """
    return re.sub(r"\\.", lambda found: _ASCII_CLASSES.get(found[0], found[0]), pattern, flags=re.DOTALL)


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> SchemaValidator:
    """A check of the whole text against `pattern`, in time linear in the text.

    Python's own `re` can take exponential time on a pattern with nested repetition, and the text
    comes from whoever writes a comment; Rust's engine (pydantic's default) has no backtracking.
    https://docs.rs/regex/latest/regex/#syntax
    """
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
        whole = rf"\A(?:{_in_ascii(pattern)})\z"
        return SchemaValidator(core_schema.str_schema(pattern=whole, regex_engine="rust-regex"))
    except SchemaError:
        raise ValueError("expected a regular expression (without look-around or back-references)") from None


def _matches(pattern: str, text: str) -> bool:
    try:
        _matcher(pattern).validate_python(text)
    except ValidationError:
        return False
    return True
