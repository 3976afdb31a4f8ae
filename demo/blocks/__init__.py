"""What Slack accepts as blocks and views, and why it refuses the rest.

https://docs.slack.dev/reference/block-kit
"""

from demo.blocks.checks import InvalidBlocks
from demo.blocks.surfaces import check_blocks, check_options, check_view

__all__ = ["InvalidBlocks", "check_blocks", "check_options", "check_view"]
