"""What a reward costs: microseconds per completion, reading it included: `python benchmarks/rewards.py [--rounds N]`."""

import argparse
import time

from curation.registry import bundled_plugins
from curation.sample import dumps
from curation.synthesis import Catalogue, parse_mix, synthesize
from trainers.evaluation.gold import Gold, gold_of
from trainers.rewards.degenerate import SIZES, completions, gold
from trainers.rewards.reading import read
from trainers.rewards.table import REWARDS, reward


def main() -> None:
    """Prints one line a reward; over completions good and bad, over small whole plans, and over synthetic ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    cases = [(gold(n), f"<think>So.</think>\n{text}") for n in SIZES for text in completions(n).values()]
    whole = [(gold(n), f"<think>So.</think>\n{completions(n)['the plan that is wanted']}") for n in SIZES]
    groups = {"all": cases, "whole plans": whole} | {f"synthetic, {n} steps": synthetic(n) for n in (1, 2, 3, 4)}
    for what, drawn in groups.items():
        cost = timed(lambda held, text: read(text), drawn, rounds)
        print(f"{'reading alone':28} {cost:6.1f} µs per completion ({what})")
        for name in REWARDS:
            cost = timed(lambda held, text, name=name: reward(name, read(text), held), drawn, rounds)
            print(f"{name:28} {cost:6.1f} µs per completion ({what})")


def synthetic(steps: int) -> list[tuple[Gold, str]]:
    """Whole plans over the bundled plugins, with their thinking, as `curation synthesize` makes them."""
    made = synthesize(Catalogue.of(bundled_plugins()), 20, 0, parse_mix(f"{steps}_step=1"))
    answers = [(trace["messages"][-1]["content"], dumps(trace["candidates"])) for trace in made]
    return [(gold_of(text.split("</think>\n", 1)[1], candidates), text) for text, candidates in answers]


def timed(function, cases, rounds: int) -> float:
    """Microseconds of one call: the mean over the cases, each at its fastest, since a busy machine only ever adds."""
    least = [float("inf")] * len(cases)
    for _ in range(rounds):
        for i, case in enumerate(cases):
            started = time.perf_counter()
            function(*case)
            least[i] = min(least[i], time.perf_counter() - started)
    return sum(least) / len(least) * 1e6


if __name__ == "__main__":
    main()
