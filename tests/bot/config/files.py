"""Configuration files of tests: read with the variables that there are, or refused with what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, load
from bot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Files:
    """Writes a file and reads it with these variables."""

    environ: Mapping[str, str]

    def read(self, file: Path, text: str) -> Config:
        """What it says, where it is right."""
        file.write_text(text)
        return load(file, self.environ)

    def mistakes(self, file: Path, text: str) -> list[str]:
        """Each line of what is said of it, without the file's name."""
        with pytest.raises(ConfigError) as refused:
            self.read(file, text)
        return [line.removeprefix(f"{file}:") for line in str(refused.value).split("\n")]


def one(text: str, mistake: str) -> Any:
    """A row of a table of mistakes, called by its text."""
    return pytest.param(text, mistake, id=text.replace("\n", " ")[:80])
