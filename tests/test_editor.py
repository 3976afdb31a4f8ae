"""An editor with the YAML language server and `errand schema`: it shows a mistake, and completes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from bot.config.schema import schema
from tests.npm import package

VERSION = "1.25.0"
TEXT = """\
# yaml-language-server: $schema=app.schema.json
url: ${ERRAND_URL:-http://127.0.0.1:8000}
limits: {runs: "${RUNS}"}
jobs:
  migrate:
    command: sh bin/migrate
    timeout: soon
    concurency: queue
"""
INDENT = "    "
CURSOR = {"line": 8, "character": len(INDENT)}


class Editor:
    """Speaks with the server as an editor does: the Language Server Protocol over standard streams."""

    def __init__(self, to: IO[bytes], back: IO[bytes]) -> None:
        self._to, self._back, self._number = to, back, 0

    def tell(self, method: str, parameters: Any, **more: Any) -> None:
        """A message that nobody answers."""
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, **more}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._to.flush()

    def ask(self, method: str, parameters: Any) -> Any:
        """The answer to a question; what the server asks meanwhile is answered with nothing."""
        self._number += 1
        self.tell(method, parameters, id=self._number)
        return next(each["result"] for each in self._messages() if each.get("id") == self._number)

    def told(self, method: str) -> Any:
        """What the server tells next of that kind."""
        return next(each["params"] for each in self._messages() if each.get("method") == method)

    def _messages(self) -> Iterator[Any]:
        while header := self._back.readline():
            while self._back.readline().strip():
                pass
            message = json.loads(self._back.read(int(header.split(b":")[1])))
            if "id" in message and "method" in message:
                self.tell_back(message)
                continue
            yield message

    def tell_back(self, message: Any) -> None:
        """Nothing is set in this editor."""
        items = message.get("params", {}).get("items", ())
        result = [None for _ in items] if message["method"] == "workspace/configuration" else None
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._to.flush()


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    server = package("yaml-language-server", VERSION, "editor") / "bin" / "yaml-language-server"
    command = ["node", str(server), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        editor = Editor(process.stdin, process.stdout)
        editor.ask("initialize", {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}})
        editor.tell("initialized", {})
        yield editor
        process.kill()


def test_editor_shows_mistakes_and_completes(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "app.schema.json").write_text(json.dumps(schema()))
    document = {"uri": (tmp_path / "app.yaml").as_uri()}
    told = {**document, "languageId": "yaml", "version": 1, "text": TEXT + INDENT}
    editor.tell("textDocument/didOpen", {"textDocument": told})

    found = editor.told("textDocument/publishDiagnostics")["diagnostics"]
    places = {(each["range"]["start"]["line"], each["range"]["start"]["character"]) for each in found}
    assert places == {(6, 13), (7, 4)}, found
    assert "concurency" in str(found)

    answer = editor.ask("textDocument/completion", {"textDocument": document, "position": CURSOR})
    items = {each["label"]: str(each.get("documentation")) for each in answer["items"]}
    assert {"retries", "lock", "schedule"} <= set(items)
    assert "attempts after the first" in items["retries"]
    assert "command" not in items  # it is there already

    place = {"textDocument": document, "position": {"line": 5, "character": 6}}
    assert "runs in `sh -c`" in str(editor.ask("textDocument/hover", place))
