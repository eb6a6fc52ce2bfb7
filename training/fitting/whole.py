"""The former place of training.whole, which needs none of what fitting loads."""

from training.whole import write_file, write_whole

__all__ = ["write_file", "write_whole"]
