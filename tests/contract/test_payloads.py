"""What a run is given for its job stands in a file of its own, on every engine."""

from executor.spec import Result
from tests.contract.cases import EngineCase, ended, sh, text

HOSTILE = '{"ref": "$(touch /tmp/no); `id`", "quote": "\\"\'", "line": "a\\nb", "emoji": "🚀"}\n'


async def test_payload_is_a_file_that_can_only_be_read(case: EngineCase, key: str) -> None:
    script = 'cat "$ERRAND_PAYLOAD"; stat -c "mode %a" "$ERRAND_PAYLOAD"; cd / && test -s "$ERRAND_PAYLOAD"'
    spec = sh(key, script, payload=HOSTILE, image=await case.image())
    outcome = await ended(case.engine.run(spec))
    assert outcome.result is Result.SUCCEEDED
    assert await text(case.logs, key) == f"{HOSTILE}mode 444\n"


async def test_large_payload_arrives_whole(case: EngineCase, key: str) -> None:
    payload = "0123456789abcdef" * 16 * 1024  # 256 KiB
    spec = sh(key, 'wc -c < "$ERRAND_PAYLOAD"', payload=payload, image=await case.image())
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
    assert (await text(case.logs, key)).strip() == str(256 * 1024)


async def test_run_without_a_payload_has_none(case: EngineCase, key: str) -> None:
    spec = sh(key, 'test -z "$ERRAND_PAYLOAD"', image=await case.image())
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
