"""A runner of GitHub Actions, as far as steps in bash can tell: it reads `action.yml` and runs it.

What is printed is read for workflow commands as the runner reads it:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import asyncio
import os
import re
import signal
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from demo.watched import PATIENCE

ACTION = Path(__file__).parents[3] / "deploy" / "action"
METADATA: dict[str, Any] = YAML(typ="safe").load((ACTION / "action.yml").read_text())

_COMMAND = re.compile(r"\s*::([a-z-]+)(?: ([^:]*))?::(.*)")
_OLD_COMMAND = re.compile(r".*##\[([a-z-]+)[^\]]*\](.*)")


@dataclass
class Step:
    """What a step has done: its exit code, its log, what were commands in it, and what it left."""

    code: int | None = None
    lines: list[str] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def errors(self) -> list[str]:
        """The texts of the errors that it told."""
        return [text for name, text in self.commands if name == "error"]

    @property
    def masked(self) -> list[str]:
        """What is not to be shown in the log."""
        return [text for name, text in self.commands if name == "add-mask"]

    @property
    def text(self) -> str:
        """The log as people see it."""
        return "\n".join(self.lines)


class Runner:
    """Runs the action once; `home` is the runner's directory for temporary files."""

    def __init__(self, home: Path, inputs: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self.home = home
        self.step = Step()
        home.mkdir(parents=True, exist_ok=True)
        (self._step,) = METADATA["runs"]["steps"]
        self._outputs = home / f"set_output_{uuid.uuid4()}"
        self._summary = home / f"step_summary_{uuid.uuid4()}"
        for file in (self._outputs, self._summary):
            file.touch()
        self._environ = {
            "PATH": os.environ["PATH"],
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(self._outputs),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "GITHUB_RUN_ID": "30433642",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": "deploy",
            "RUNNER_TEMP": str(home),
            **{name: _filled(text, inputs) for name, text in self._step["env"].items()},
            **environ,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = ""
        self._grown = asyncio.Condition()

    async def run(self, timeout: float = PATIENCE) -> Step:
        """Start the step, and give what became of it."""
        await self.start()
        return await self.end(timeout)

    async def start(self) -> None:
        """Start the step, as `shell: bash` is started."""
        assert self._step["shell"] == "bash"
        script = self.home / f"{uuid.uuid4()}.sh"
        script.write_text(self._step["run"])
        self._process = await asyncio.create_subprocess_exec(
            *("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)),
            env=self._environ,
            cwd=self.home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 21,  # bytes of a line
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def wait_for(self, seen: Callable[[Step], object], timeout: float = PATIENCE) -> None:
        """Return once the step has printed what `seen` looks for."""
        async with asyncio.timeout(timeout), self._grown:
            while not seen(self.step):
                await self._grown.wait()

    def cancel(self, number: signal.Signals = signal.SIGINT) -> None:
        """Signal the first process of the step, and no other, as the runner does."""
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, timeout: float = PATIENCE) -> Step:
        """What the step has done, once it has ended."""
        assert self._process is not None
        try:
            async with asyncio.timeout(timeout):
                self.step.code = await self._process.wait()
                await self._reading
        except TimeoutError:
            self._process.kill()
            raise AssertionError(f"the step goes on:\n{self.step.text}") from None
        for line in self._outputs.read_text().splitlines():
            name, _, value = line.partition("=")
            self.step.outputs[name] = value
        self.step.summary = self._summary.read_text()
        return self.step

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            print(line)  # shown when a test fails
            if not self._obeys(line):
                self.step.lines.append(line)
            async with self._grown:
                self._grown.notify_all()

    def _obeys(self, line: str) -> bool:
        """Whether a line is a command that the runner takes."""
        if self._stopped:
            if line.strip() == f"::{self._stopped}::":
                self._stopped = ""
                return True
            return False
        found = _COMMAND.fullmatch(line) or _OLD_COMMAND.fullmatch(line)
        if found is None:
            return False
        name, text = found[1], found[found.lastindex or 1]
        if name == "stop-commands":
            self._stopped = text
        else:
            self.step.commands.append((name, text))
        return True


def _filled(text: str, inputs: Mapping[str, str]) -> str:
    """The value of an entry of `env`: always one expression, of an input."""
    found = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)
    assert found is not None, text
    definition = METADATA["inputs"][found[1]]
    if definition.get("required"):
        return inputs[found[1]]
    return inputs.get(found[1], definition["default"])
