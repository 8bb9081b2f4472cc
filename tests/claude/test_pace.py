"""The pace over a service with a quota by the minute, in seconds that are counted and not waited for."""

import time

from curation.claude.asking import Patience
from curation.claude.journal import journal_folder
from curation.claude.pace import CUT, FEW, FREE, GROWTH, LOOK, SLOWEST, Pace
from curation.claude.pool import run_errand
from tests.claude.conftest import claude
from tests.judge.samples import frames


def walk(pace: Pace, seconds: float, quota: float, asking: float, tokens: int = 100, start: float = 0.0) -> list[float]:
    """Sends `asking` requests a second as far as the pace lets it, to a service that takes `quota` a second.

    Returns the times of the requests that were let through.
    """
    base = time.monotonic() + start
    now, room, last = base, quota, base
    through = []
    while now < base + seconds:
        delay = pace.delay(tokens, now)
        if delay:
            now += delay
            continue
        now += 1 / asking
        room = min(quota, room + (now - last) * quota)
        last = now
        if room >= 1:
            room -= 1
            pace.let_through()
            through.append(now - base)
        else:
            pace.turned_away(0.0, now)
    return through


def test_without_refusals_nobody_waits():
    pace = Pace()
    assert len(walk(pace, 60, quota=1000, asking=100)) >= 5900
    assert pace.delay(100, time.monotonic() + 60) == 0


def test_the_pace_settles_near_what_the_service_takes():
    pace = Pace()
    walk(pace, 120, quota=20, asking=100)
    settled = walk(pace, 300, quota=20, asking=100, start=120)
    assert 0.6 * 20 * 300 <= len(settled) <= 20 * 300 + 20


def test_few_refusals_among_many_replies_change_nothing():
    pace, now = Pace(), time.monotonic()
    for number in range(1000):
        pace.let_through()
        if number % 25 == 0:
            pace.turned_away(1.0, now + number / 100)
    assert pace.delay(100, now + 10) == 0


def test_a_burst_of_refusals_is_one_cut_and_closes_the_door_for_as_long_as_was_asked():
    pace, now = Pace(), time.monotonic()
    for number in range(100):
        assert pace.delay(100, now + 10 + number / 10) == 0
    for _ in range(20):
        pace.turned_away(3.0, now + 20)
    assert pace.delay(100, now + 22.9) > 0
    per_second = CUT * (100 - FEW) / 20 * (1 + GROWTH * 10)  # additive growth from one cut, at the fifth of them
    assert pace.delay(100, now + 30) == 0
    assert pace.delay(100, now + 30 + 0.9 / per_second) > 0
    assert pace.delay(100, now + 30 + 1.1 / per_second) == 0


def test_large_requests_wait_longer_than_small_ones():
    waits = {}
    for tokens in (100, 1000):
        pace, now = Pace(), time.monotonic()
        for number in range(100):
            assert pace.delay(100, now + 10 + number / 10) == 0
        for _ in range(20):
            pace.turned_away(0.0, now + 20)
        assert pace.delay(tokens, now + 21) == 0
        waits[tokens] = next(tenth for tenth in range(1, 100) if not pace.delay(100, now + 21 + tenth / 10))
    assert waits[1000] > 8 * waits[100]


def test_a_limit_that_was_left_far_behind_is_forgotten():
    pace, now = Pace(), time.monotonic()
    for _ in range(FEW):
        pace.turned_away(0.0, now + LOOK)
    pace.delay(100, now + LOOK + 1)
    late = now + 2 * LOOK + FREE / GROWTH + 60
    pace.delay(100, late)
    assert pace.delay(100, late) == 0


def test_a_hundred_workers_ride_out_a_quota(serve, warehouse):
    service = serve(latency=0.02, quota_per_s=60.0)
    patient = Patience(tries=8, base=0.2, cap=5.0)
    tally = run_errand(frames(400), claude("vertex", 100, patient), journal_folder(warehouse), 100)
    assert tally.done == 400
    assert tally.statuses["ok"] == 400, "who was turned away came back in time"
    assert service.statuses[429] < 2 * 400, "the pace was found instead of knocking on and on"


def test_where_nothing_was_let_through_a_large_request_is_tried_again_within_seconds():
    pace = Pace()
    now = time.monotonic()
    for _ in range(FEW):
        assert pace.delay(5_000, now) == 0
    for _ in range(FEW):
        pace.turned_away(0.0, now)
    assert pace.delay(5_000, now) == 0
    assert pace.delay(5_000, now + 2 / SLOWEST) == 0
