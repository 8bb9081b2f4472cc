"""A reward after PARL: what a plan is worth, and at first a little for doing things at once and for steps that can run.

PARL (parallel-agent reinforcement learning) is told here from secondary texts, the report itself was not read: r =
λ1·r_parallel + λ2·r_finish + r_perf, with λ1 and λ2 falling to 0. There, sub-agents run; here a plan is judged before
anything runs. So these are terms in its style, not PARL.
"""

from collections.abc import Iterable, Sequence

from trainers.evaluation.gold import Gold
from trainers.plans import Answer
from trainers.rewards.plan import LAST, At, Parts, plan
from trainers.rewards.published import is_filled, share
from trainers.rewards.reading import Written

LAMBDA = 0.1  # of both terms when training begins, as the secondary texts have it; falls in a line to 0 at its end


def parallel_style(written: Written, gold: Gold, at: At = LAST) -> Parts:
    """`parallel`: 1 where all steps can run at once, 0 where each waits for another, or there is but one.

    `finish`: the share of steps that could run, being filled. `performance`: what our reward pays. At the end of
    training only the last is left: the first two alone would pay for leaving out dependencies.
    """
    answer = written.found
    performance = plan(written, gold, at)
    left = LAMBDA * (1.0 - at.progress) if performance["form"] else 0.0  # a closed gate pays nothing at all
    if not left:
        return {"parallel": 0.0, "finish": 0.0, "performance": sum(performance.values())}
    steps = len(answer.steps)
    return {
        "parallel": left * ((steps - len(waves(answer))) / (steps - 1) if steps > 1 else 0.0),
        "finish": left * share([is_filled(answer, gold, place) for place in range(steps)], 0.0),
        "performance": sum(performance.values()),
    }


def waves(answer: Answer) -> list[int]:
    """How many steps run at once, wave after wave, where each runs as soon as what it needs is done."""
    depth: list[int] = []
    needs: dict[int, list[int]] = {}
    for step, to in answer.links:
        if to < step:
            needs.setdefault(step, []).append(to)
    for step in range(len(answer.steps)):
        depth.append(1 + max((depth[to] for to in needs.get(step, ())), default=-1))
    return [depth.count(wave) for wave in range(max(depth, default=-1) + 1)]


def critical_steps(rounds: Iterable[tuple[int, Sequence[int]]]) -> int:
    """PARL's cost of a run: in each round the orchestrator's own steps, and those of the sub-agent that took longest."""
    return sum(own + max(others, default=0) for own, others in rounds)
