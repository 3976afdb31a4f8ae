"""Images that this engine does not have, whichever gave them, on every engine."""

import pytest

from tests.contract.cases import EngineCase


@pytest.mark.parametrize(
    "image", [f"tree:acme/shop@{'0' * 40}+{'0' * 12}", f"sha256:{'0' * 64}", "localhost/errand/shop:none"]
)
async def test_image_that_another_engine_gave_is_not_there(case: EngineCase, image: str) -> None:
    """After a change of `engine.kind` it has to be built again, not to fail in every run."""
    assert not await case.engine.has_image(image)
