"""The pace finds out how many requests and tokens a minute a service takes: it slows down when turned away, then tries more."""

import logging
import time
from collections import deque

log = logging.getLogger(__name__)

CUT = 0.7  # of what was let through lately: low enough that what waits at the service drains
SHARE = 0.1  # of requests turned away since the last cut; fewer are the noise of a large service, not its limit
FEW = 5  # turned away: of so few a share says nothing
LOOK = 5.0  # seconds between two cuts: the requests in flight at the first must not cause the second
GROWTH = 0.02  # of the pace at the cut, added each second: back where it was after a quarter of a minute
WINDOW = 60.0  # seconds over which the throughput is measured: quotas are counted by the minute
SLOWEST = 1.0  # requests a second: below that nothing would be learned any more
ASK_AGAIN = 0.5  # seconds that a request waits at most before it looks again: the pace changes meanwhile
FREE = 4.0  # times the pace at the cut: a limit that is so far away is none


class Pace:
    """A limit that is additively increased and multiplicatively cut, over requests and over tokens.

    There is none until the service turns requests away (`turned_away`). Each request asks `delay` until it is 0; times
    are those of time.monotonic.
    """

    def __init__(self) -> None:
        self._admitted: deque[tuple[float, int]] = deque()  # sent in the last minute and not turned away
        self._tokens = 0  # of those
        self._last = 1  # tokens of the request that was sent last
        self._began = time.monotonic()
        self._looked = 0.0
        self._accepted = self._refused = 0
        self._at_cut: tuple[float, float] | None = None  # requests and tokens a second after the last cut
        self._next = 0.0
        self._closed_until = 0.0

    def delay(self, tokens: int, now: float) -> float:
        """0 where a request of so many tokens may be sent, which it then is; else the seconds after which to ask again."""
        begin = max(self._next, self._closed_until)
        if begin > now:
            return min(begin - now, ASK_AGAIN)
        limit = self._limit(now)
        if limit is not None:
            requests, most_tokens = limit
            self._next = now + max(1 / requests, tokens / most_tokens)
        self._admitted.append((now, tokens))
        self._last = tokens
        self._tokens += tokens
        while self._admitted[0][0] < now - WINDOW:
            self._tokens -= self._admitted.popleft()[1]
        return 0.0

    def let_through(self) -> None:
        """A request was answered."""
        self._accepted += 1

    def turned_away(self, wait: float, now: float) -> None:
        """A request was refused for want of capacity; the service asked for (or we chose) a `wait` in seconds."""
        self._refused += 1
        if self._admitted:
            self._tokens -= self._admitted.pop()[1]
        many = self._refused >= FEW and self._refused > SHARE * (self._refused + self._accepted)
        if now - self._looked >= LOOK and many:
            self._cut(now)
            self._looked = now
            self._accepted = self._refused = 0
            self._closed_until = now + wait

    def _cut(self, now: float) -> None:
        """Sets the pace to a share of what was admitted in the last minute, or of the pace before, if that is less."""
        before = self._limit(now)
        if before is None:
            log.warning("the service turns requests away: slowing down, to find out how many a minute it takes")
        elapsed = min(WINDOW, max(1.0, now - self._began))
        requests, tokens = len(self._admitted) / elapsed, self._tokens / elapsed
        mean = tokens / requests if requests else self._last  # of all that was sent, nothing was let through
        if before is not None:
            requests, tokens = min(requests, before[0]), min(tokens, before[1])
        requests = max(CUT * requests, SLOWEST)
        self._at_cut = (requests, max(CUT * tokens, requests * mean))

    def _limit(self, now: float) -> tuple[float, float] | None:
        """Requests and tokens a second that are tried now; None where there is no limit (any more)."""
        if self._at_cut is None:
            return None
        grown = 1 + GROWTH * (now - self._looked)
        if grown > FREE:
            self._at_cut = None
            return None
        return self._at_cut[0] * grown, self._at_cut[1] * grown
