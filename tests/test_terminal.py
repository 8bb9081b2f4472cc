"""What a person is told while work goes on, on a terminal and off one."""

from collections.abc import Callable

import pytest

from curation import terminal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves time on."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def go(seconds: float) -> None:
        now[0] += seconds

    return go


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(terminal, "say", heard.append)
    return heard


def test_off_a_terminal_long_work_has_a_line_a_minute_and_one_at_its_end(
    clock: Callable[[float], None], said: list[str]
) -> None:
    with terminal.lines() as told:
        for done in range(0, 300_000_001, 10_000_000):
            clock(10)
            told("ingest", done, 299_999_999, "")
        for done in range(100):
            told("check", done, 100, "")
    assert said[0] == "50 of 300 MB read"
    assert said[-1] == "300 of 300 MB read"
    assert len(said) == 31 // 6 + 1


def test_off_a_terminal_short_work_says_nothing(clock: Callable[[float], None], said: list[str]) -> None:
    with terminal.lines() as told:
        for done in range(10):
            clock(5)
            told("judge", done, None, "")
    assert said == []


def test_a_line_without_a_known_end_counts_alone() -> None:
    assert terminal.line("judge", 1200, None, "") == "1,200 samples judged"
    assert terminal.line("reread", 1200, 4000, "") == "1,200 of 4,000 traces read again"
    assert terminal.line("judge", 12, 40, "$3.10 spent") == "12 of 40 samples judged, $3.10 spent"


def test_what_cannot_be_printed_is_not() -> None:
    assert terminal.visible("a\u202eb\u2066c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert terminal.visible("a\x1b[31mb\udce9c") == "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}c"
