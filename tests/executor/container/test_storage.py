"""Where the storage of one repository lies."""

from pathlib import Path

import pytest

from executor.container.storage import Storage
from executor.errors import EngineUnavailable

WORD = "0123456789abcdef"


def test_run_root_lies_where_the_engine_has_it() -> None:
    engine = Storage("overlay", "/var/lib/containers/storage", "/run/containers/storage")
    assert engine.beside(Path("/work/acme/shop"), WORD) == Storage(
        "overlay", "/work/acme/shop", "/run/containers/storage/e-0123456789"
    )


def test_run_root_that_podman_would_refuse_lies_elsewhere_or_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Storage("overlay", "/root", "/" + "r" * 40)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert engine.beside(Path("/work"), WORD).run_root == "/run/e-0123456789"

    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert engine.beside(Path("/work"), WORD).run_root == "/run/user/1000/e-0123456789"

    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with pytest.raises(EngineUnavailable, match="is too long: choose one of 37 characters"):
        engine.beside(Path("/work"), WORD)


def test_path_that_cannot_be_named_is_told() -> None:
    with pytest.raises(EngineUnavailable, match="letters, digits"):
        Storage("overlay", "/root", "/run").beside(Path("/work/größe"), WORD)
