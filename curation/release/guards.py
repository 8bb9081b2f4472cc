"""Guards look at a release before it goes out: whatever one finds holds the release for a person."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from curation.recipe import Guard


@dataclass(frozen=True)
class Candidate:
    """What is known of a release that is about to go out, and of the one before it."""

    new_rows: int  # that the last release does not have
    samples: int  # of the recipe, by now
    fell: Mapping[str, int]  # reason -> samples that it put out, by now
    before: "Candidate | None" = None  # the same of the last release; None: there is none, or it does not say
    judge: Iterable[str] = field(default=())  # what the judge's own watch found: each a sentence

    @property
    def arrived(self) -> int:
        """Samples that came since the last release."""
        return self.samples - (self.before.samples if self.before else 0)


Check = Callable[[Guard, Candidate], Iterator[str]]


def fewer_rows(guard: Guard, candidate: Candidate) -> Iterator[str]:
    """Fewer new rows than the recipe wants: sources may be missing, or a stage may drop what it should not."""
    if guard.new_rows is not None and candidate.new_rows < guard.new_rows:
        yield f"{candidate.new_rows:,} rows are new, and [guard] new_rows = {guard.new_rows} wants more"


def dropped_more(guard: Guard, candidate: Candidate) -> Iterator[str]:
    """One reason put out a larger share of what came since the last release than the recipe allows.

    Samples that came earlier and fall only now count as well: then a stage or its settings have changed. Without an
    earlier release there is nothing to hold it against.
    """
    before = candidate.before
    if guard.dropped is None or before is None:
        return
    for reason, number in sorted(candidate.fell.items(), key=lambda item: (-item[1], item[0])):
        more = number - before.fell.get(reason, 0)
        share = more / max(candidate.arrived, 1)
        if share > guard.dropped:
            yield (
                f"{reason} put out {more:,} more samples than at the last release, {candidate.arrived:,} samples having "
                f"come since ({share:.0%}, and [guard] dropped = {guard.dropped:g})"
            )


def judge_watch(guard: Guard, candidate: Candidate) -> Iterator[str]:
    """What the judge's own watch over itself found."""
    yield from candidate.judge


GUARDS: tuple[Check, ...] = (fewer_rows, dropped_more, judge_watch)


def tripped(guard: Guard, candidate: Candidate) -> tuple[str, ...]:
    """Why the release must wait for a person, a sentence for each reason; empty: it may go out."""
    return tuple(sentence for check in GUARDS for sentence in check(guard, candidate))
