"""The tally counts what a run of the pool has come to: replies, tokens, dollars, waiting times."""

from collections import Counter, deque
from dataclasses import dataclass, field, replace

from curation.claude.errand import Row
from curation.claude.prices import saved, today

LATEST = 1000  # replies whose waiting times tell how fast the service is now


@dataclass
class Tally:
    """What a run has come to so far.

    `usd` leaves out the `unpriced` replies, whose model has no price; `saved` is what the prompt cache took off it.
    `good` counts what the errand is after, `overalls` the scores of a judge by whole points, `latencies` are those of
    the latest replies in seconds, waits and repeated requests included.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    usd: float = 0.0
    saved: float = 0.0
    good: int = 0
    overalls: Counter[int] = field(default_factory=Counter)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST))
    unpriced: int = 0
    watched: int = 0  # replies that watch the judge: paid for, and counted nowhere else
    watch_usd: float = 0.0  # of `usd`, what these cost
    seconds: float = 0.0
    interrupted: bool = False  # by Ctrl-C: what has no reply yet is asked by the next run
    out_of_budget: bool = False  # what has no reply yet is asked by the next run

    @property
    def done(self) -> int:
        """Replies and errors kept, whatever they say."""
        return self.statuses.total()

    @property
    def stopped(self) -> bool:
        """Whether rows were left that nobody was asked about."""
        return self.interrupted or self.out_of_budget

    def add(self, read: Row, good: bool, last: bool = True) -> None:
        """Counts one reply; one that is not the `last` of its row, or watches the judge, counts for its price alone."""
        if read.get("occasion"):
            self.watched += 1
            self.watch_usd += read["usd"] or 0.0
        elif last:
            self.statuses[read["status"]] += 1
            self.good += good
            if read.get("overall") is not None:
                self.overalls[int(read["overall"])] += 1
        self.saved += saved(read["model"], read["cached_tokens"], today())
        for name in ("input_tokens", "output_tokens", "cached_tokens"):
            setattr(self, name, getattr(self, name) + read[name])
        if read["usd"] is None:
            self.unpriced += 1
        else:
            self.usd += read["usd"]

    def plus(self, other: "Tally") -> "Tally":
        """Both runs together, the other being the later one."""
        return replace(
            other,
            statuses=self.statuses + other.statuses,
            good=self.good + other.good,
            overalls=self.overalls + other.overalls,
            saved=self.saved + other.saved,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            usd=self.usd + other.usd,
            unpriced=self.unpriced + other.unpriced,
            watched=self.watched + other.watched,
            watch_usd=self.watch_usd + other.watch_usd,
            seconds=self.seconds + other.seconds,
        )
