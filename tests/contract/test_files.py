"""Files that are placed into a job, on every engine."""

import asyncio

from executor.spec import Result
from tests.contract.cases import EngineCase, ended, need_bash, sh, text

INI = "[app]\nworkers = 2\n$HOME ${HOME} `id` \u00e4\n"


async def test_files_are_there_before_the_command_and_only_to_be_read(case: EngineCase, key: str) -> None:
    files = {"/etc/shop/extra.ini": INI, "etc/empty": ""}
    ini = f"{case.root}/etc/shop/extra.ini"
    script = f"cat {ini}; ls -l {ini} | cut -c1-10; wc -c < {case.root}/etc/empty"
    outcome = await ended(case.engine.run(sh(key, script, files=files, image=await case.image())))
    assert outcome.result is Result.SUCCEEDED
    log = await text(case.logs, key)
    assert log.startswith(f"{INI}-r--r--r--\n")
    assert log.removeprefix(f"{INI}-r--r--r--\n").strip() == "0"


async def test_setup_sees_the_files_too(case: EngineCase, key: str) -> None:
    await need_bash(case)
    spec = sh(
        key,
        'echo "$GREETING"',
        setup=f". {case.root}/greeting.sh",
        files={"greeting.sh": "export GREETING=hello\n"},
        image=await case.image(),
    )
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
    assert await text(case.logs, key) == "hello\n"


async def test_path_that_leads_out_is_refused(case: EngineCase, key: str) -> None:
    for number, path in enumerate(("../up", "a/../../up", "/", "a//b", ".")):
        spec = sh(f"{key}-{number}", "true", files={path: "x"}, image=await case.image())
        outcome = await ended(case.engine.run(spec))
        assert (outcome.result, outcome.reason) == (Result.ERROR, "FilesInvalid"), path
        assert outcome.message


async def test_many_runs_at_once_each_see_a_whole_file(case: EngineCase) -> None:
    content = "x" * 100_000
    script = f"wc -c < {case.root}/etc/large"
    # Keys of their own: a node remembers the files of an earlier test's run that had the same.
    specs = [
        sh(f"large-{number}", script, files={"etc/large": content}, image=await case.image())
        for number in range(8)
    ]
    await asyncio.gather(*(ended(case.engine.run(spec)) for spec in specs))
    assert {(await text(case.logs, spec.key)).strip() for spec in specs} == {"100000"}
