"""The process engine runs no code that nobody here answers for."""

from pathlib import Path

from executor.logs.store import LogStore
from executor.process.engine import ProcessEngine
from executor.spec import BuildSpec, Outcome, Result, RunSpec, Source


async def test_untrusted_code_is_neither_built_nor_run(tmp_path: Path) -> None:
    engine = ProcessEngine(tmp_path, LogStore(tmp_path / "logs", 2**20))
    witness = tmp_path / "witness"
    run = RunSpec("r-1", ("touch", str(witness)), untrusted=True)
    build = BuildSpec("b-1", "shop", Source("acme/shop", "file:///nowhere", "a" * 40), untrusted=True)
    told = [each async for each in engine.run(run)] + [each async for each in engine.build(build)]
    assert [isinstance(each, Outcome) and (each.result, each.reason) for each in told] == [
        (Result.ERROR, "SpecRefused")
    ] * 2
    assert not witness.exists()
