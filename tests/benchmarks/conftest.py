"""The small release that tests of trainers use."""

from tests.trainers.conftest import plain_release, release

__all__ = ["plain_release", "release"]
