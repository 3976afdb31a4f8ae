"""`errand setup github` begins nothing that it could not finish."""

from pathlib import Path

import pytest

import terminal.setup
from terminal.failures import Failure

SECTION = "github: {app_id: '${A}', private_key: '${K}', webhook_secret: '${W}', "


def test_client_that_stands_in_the_file_would_be_of_another_app(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(f"{SECTION}client_id: Iv1.0123456789, client_secret: '${{S}}'}}\n")
    with pytest.raises(Failure, match=r"write a variable such as \$\{GITHUB_CLIENT_ID\} at github.client_id"):
        terminal.setup.github(path, port=0, browser=False, force=False)
