"""A run tells by a tag which process does it, so that one whose process was killed is known for what it is."""

import os
import subprocess
import sys

from flows.zombies import is_gone, own_tag, started


def tag(pid: int, start: str, host: str = "") -> str:
    """The tag that another process would have written."""
    ours = own_tag().split(":")
    return ":".join([ours[0], host or ours[1], str(pid), start])


def test_a_process_that_lives_is_not_gone() -> None:
    assert not is_gone([own_tag()])
    assert not is_gone(["something else"])


def test_a_process_that_was_killed_is_gone_and_so_is_one_whose_number_another_has_got() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        alive = tag(process.pid, started(process.pid))
        assert not is_gone([alive])
        process.kill()
    assert is_gone([alive])
    assert is_gone([tag(os.getpid(), "1")])


def test_a_process_of_another_machine_is_left_alone() -> None:
    assert not is_gone([tag(os.getpid(), "1", host="elsewhere")])
