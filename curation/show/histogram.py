"""The judge's scores as bars, so that one look tells whether they spread or pile up."""

from collections.abc import Iterator, Mapping

WIDTH = 40  # characters of the longest bar


def histogram(scores: Mapping[int, int]) -> Iterator[str]:
    """One line for each whole score from 0 to 10, with how many samples have it or up to the next; none without scores."""
    most = max(scores.values(), default=0)
    for score in range(11) if most else ():
        number = scores.get(score, 0)
        bar = "#" * max(round(WIDTH * number / most), 1 if number else 0)
        yield f"{score:>2} {bar} {number:,}" if number else f"{score:>2}"
