"""Plans that no reward should pay for, and what each reward pays: `python -m trainers.rewards.degenerate`."""

import random

import orjson

from trainers.evaluation.gold import Gold, gold_of
from trainers.plans import PARAMETERS, Step
from trainers.rewards.plan import LAST, At
from trainers.rewards.reading import read
from trainers.rewards.table import REWARDS, reward

OFFERED = 6  # candidates, of which the first are the right ones
SIZES = (1, 2, 4)  # steps of the plans that are wanted
CANDIDATES = [
    {
        "pluginId": f"p{i}",
        "name": f"Plugin {i}",
        "description": f"Does {i}",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "source": {"type": "string"}},
            "required": ["city"],
        },
    }
    for i in range(OFFERED)
]
# heading of a column -> (reward, where training is, steps of the plan that is wanted)
COLUMNS: dict[str, tuple[str, At, int]] = {
    **{f"A, {n} wanted": ("plugin_selection_published", LAST, n) for n in SIZES},
    **{f"C, phase {k}": ("curriculum_published", At(k), 2) for k in (1, 2, 3, 4)},
    "parallel, at first": ("parallel_style", At(4, 0.0), 2),
    **{f"ours, {n} wanted": ("plan", LAST, n) for n in SIZES},
}


def step(plugin: str, needs: tuple[str, ...] = (), city: str = "Oslo") -> Step:
    """One step; it takes something from the last step that it needs."""
    values = {"city": city} | ({"source": f"{{{{{needs[-1]}.output.id}}}}"} if needs else {})
    return {"pluginId": plugin, PARAMETERS: values, "all_parameters_hydrated": True, "dependencies": list(needs)}


def wanted(n: int) -> list[Step]:
    """A chain of `n` steps, each of which needs the one before."""
    return [step(f"p{i}", (f"p{i - 1}",) if i else ()) for i in range(n)]


def text(steps: list[Step]) -> str:
    """A plan as it is written."""
    return orjson.dumps({"plugins": steps}).decode()


def gold(n: int) -> Gold:
    """What a completion is held against."""
    return gold_of(text(wanted(n)), orjson.dumps(CANDIDATES).decode())


def completions(n: int) -> dict[str, str]:
    """Completions by what is the matter with them, where a chain of `n` steps is wanted."""
    right = wanted(n)
    loop = [{**one, "dependencies": [right[(i + 1) % n]["pluginId"]]} for i, one in enumerate(right)]
    return {
        "the plan that is wanted": text(right),
        "an empty plan": text([]),
        "one wrong pick": text([step("p5")]),
        "one right pick only": text(right[:1]),
        "all six candidates copied": text(right + [step(f"p{i}") for i in range(n, OFFERED)]),
        "one right pick, eight times": text(right[:1] * 8),
        "the plan and one step too many": text([*right, step("p5")]),
        "right picks, wrong values": text([{**one, PARAMETERS: {"city": "x"}} for one in right]),
        "right picks, no dependencies": text([{**one, "dependencies": []} for one in right]),
        "right picks, dependent steps reversed": text(right[::-1]),
        "right picks in a loop": text(loop),
        "six plugins that nobody offered": text([step(f"q{i}") for i in range(OFFERED)]),
        "the plan, words around it": f"Here is the plan:\n{text(right)}\nDone.",
        "the plan within a code fence": f"```json\n{text(right)}\n```",
        "the plan twice": text(right) + text(right),
        "the plan within its thinking alone": f"<think>{text(right)}</think>\n",
        "the plan in thinking that never ends": f"<think>{text(right)}",
        "half of the plan's text": text(right)[: len(text(right)) // 2],
    }


def paid() -> dict[str, dict[str, float]]:
    """What each column's reward pays for each completion."""
    table: dict[str, dict[str, float]] = {name: {} for name in completions(1)}
    for heading, (name, at, n) in COLUMNS.items():
        held = gold(n)
        for case, completion in completions(n).items():
            table[case][heading] = reward(name, read(completion), held, at)
    return table


def table_text() -> str:
    """The table as Markdown; a dash where the completion is the plan that is wanted itself."""
    lines = ["| completion | " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * len(COLUMNS)]
    itself = {n: [case for case, made in completions(n).items() if made == text(wanted(n))][1:] for n in SIZES}
    for case, row in paid().items():
        cells = ("–" if case in itself[n] else f"{row[heading] + 0.0:.2f}" for heading, (_, _, n) in COLUMNS.items())
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def partly_right(count: int, seed: int) -> list[tuple[int, str]]:
    """(steps wanted, completion): the first one or more of the right steps and up to two wrong ones, drawn by `seed`."""
    dice = random.Random(seed)
    made: list[tuple[int, str]] = []
    while len(made) < count:
        n = dice.randint(1, 4)
        kept, wrong = dice.randint(1, n), dice.sample(range(n, OFFERED), dice.randint(0, min(2, OFFERED - n)))
        if kept < n or wrong:
            made.append((n, text([*wanted(n)[:kept], *(step(f"p{i}") for i in wrong)])))
    return made


def no_more_than_empty(name: str, at: At = LAST, count: int = 4000) -> float:
    """The share of partly right plans for which a reward pays no more than for an empty plan."""
    golds = {n: gold(n) for n in range(1, 5)}
    empty = {n: reward(name, read(text([])), held, at) for n, held in golds.items()}
    drawn = partly_right(count, 0)
    return sum(reward(name, read(made), golds[n], at) <= empty[n] + 1e-9 for n, made in drawn) / count


def main() -> None:
    """Prints the table, and how many partly right plans earn no more than an empty one."""
    print(table_text())
    for name in REWARDS:
        print(f"{name}: {no_more_than_empty(name):.0%} of 4,000 partly right plans earn no more than an empty one")


if __name__ == "__main__":
    main()
