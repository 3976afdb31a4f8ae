from pathlib import Path

import pytest

from executor.supervisor import record, request


def test_status_is_what_the_last_whole_line_says(tmp_path: Path) -> None:
    directory = str(tmp_path)
    assert record.read_status(directory) is None
    writer = record.StatusWriter(directory)
    assert record.read_status(directory) is None
    writer.write(record.STARTING, durable=True, supervisor=7, boot="")
    writer.write(
        record.RUNNING, durable=False, pid=8, message="two\nlines\tand\u2028more = fine", nothing=None
    )
    with (tmp_path / record.STATUS).open("a") as file:
        file.write("state=finished\tresult=succ")
    assert record.read_status(directory) == {
        "state": "running",
        "supervisor": "7",
        "boot": "",
        "pid": "8",
        "message": "two lines and more = fine",
    }
    writer.write(record.FINISHED, durable=True, result="succeeded")
    assert (record.read_status(directory) or {})["state"] == "finished"


def test_lock_of_nobody_has_no_holder(tmp_path: Path) -> None:
    assert record.lock_holder(str(tmp_path)) is None
    (tmp_path / record.LOCK).touch()
    assert record.lock_holder(str(tmp_path)) is None


def test_request_comes_back_as_it_was_said() -> None:
    fields: list[tuple[str, str | bytes]] = [("a", "1"), ("b", b"x=y\n\xff"), ("a", ""), ("c", "é")]
    encoded = request.encode(fields)
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    assert request.decode(encoded[4:]) == {"a": [b"1", b""], "b": [b"x=y\n\xff"], "c": ["é".encode()]}


def test_request_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="larger"):
        request.encode([("a", b"x" * (request.LARGEST + 1))])
