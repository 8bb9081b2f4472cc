"""What the checks find of what was planted: `python -m tests.corpus.measure [--each N] [--show REASON]`."""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import polars as pl

from curation.batch import Batch
from curation.formats.answer import split
from curation.formats.ondemand import FORMAT
from curation.recipe import Check
from curation.sample import SAMPLE_FRAME, Draft, dumps, identify, request_of
from curation.stages import ROW_STAGES
from tests.corpus import answers, chains, inventions, leaks, people, suspicious, values
from tests.corpus.bases import Base, bases
from tests.corpus.planting import Plant

Fault = tuple[str, str]  # (reason, pointer)
PLANTS: dict[str, Plant] = {
    "schema.not_json": answers.not_json,
    "schema.invalid": answers.invalid,
    "thinking.missing": answers.unthinking,
    "thinking.empty": answers.empty_thinking,
    "plugin.unknown": chains.unknown_plugin,
    "placeholder.value": values.placeholders,
    "hydration.empty": values.empty,
    "hydration.missing_required": values.missing,
    "hydration.type_mismatch": values.mistyped,
    "hydration.not_in_enum": values.outside_enum,
    "hydration.invalid_value": values.invalid_values,
    "hydration.unknown_parameter": values.unknown_parameters,
    "hydration.flag": chains.unflagged,
    "dependency.unknown": chains.unknown_dependency,
    "dependency.undeclared": chains.undeclared,
    "dependency.cycle": chains.loops,
    "dependency.order": chains.disorder,
    "secret.found": leaks.leaks,
    "pii.found": people.people,
    "grounding.invented": inventions.inventions,
}
CLEAN: dict[str, Plant] = {
    "untouched": suspicious.untouched,
    "written": suspicious.written,
    "lookalikes": suspicious.lookalikes,
    "by_key": suspicious.by_key,
    "said": suspicious.said,
    "harmless": suspicious.harmless,
    "allowed": suspicious.allowed,
    "chained": suspicious.chained,
}
AT_A_TIME = 5_000  # planted plans checked at once
PER_PLANT = 16  # variants of one plant in one base, by chance: all bases together show all of them


class Case(NamedTuple):
    """A planted plan: what was done to which base."""

    plant: str
    variant: str
    base: Base


def cases(plants: dict[str, Plant], sound: list[Base], seed: int) -> Iterator[Case]:
    """Every plant in every base."""
    for i, base in enumerate(sound):
        for name, plant in plants.items():
            rng = random.Random(f"{seed}/{i}/{name}")
            made = list(plant(base, rng))
            for variant, planted in made if len(made) <= PER_PLANT else rng.sample(made, PER_PLANT):
                yield Case(name, variant, planted)


def row(base: Base) -> dict[str, Any]:
    """The sample that the native reader makes of it; a turn of a run is read by its answer alone."""
    trace = base.trace()
    if any(message["role"] == "tool" or "tool_calls" in message for message in base.before):
        thinking, plan = split(trace["messages"][-1]["content"])
        draft = Draft("plan", base.before, base.candidates, thinking, plan)
    else:
        (draft,) = FORMAT.read(trace).drafts
    messages = dumps(draft.messages)
    candidates = None if draft.candidates is None else dumps(draft.candidates)
    return dict.fromkeys(SAMPLE_FRAME) | {
        "sample_id": identify(draft.kind, messages, candidates, draft.thinking, draft.plan),
        "kind": draft.kind,
        "request": request_of(draft.messages),
        "messages": messages,
        "candidates": candidates,
        "thinking": draft.thinking,
        "plan": draft.plan,
    }


def told(planted: list[Base]) -> list[set[Fault]]:
    """The faults for which row stages drop each plan; those that only flag it where they were planted."""
    samples = pl.DataFrame([row(base) for base in planted], schema=SAMPLE_FRAME, orient="row")
    batch, found = Batch(samples), [set[Fault]() for _ in planted]
    for stage in ROW_STAGES:
        decided = stage.decide(batch, Check()).select("outcome", "faults")
        for base, faults, (outcome, text) in zip(planted, found, decided.iter_rows(), strict=True):
            listed = {(fault["reason"], fault["pointer"]) for fault in orjson.loads(text or "[]")}
            faults |= listed if outcome == "fail" else listed & set(base.expected)
    return found


def sound_bases(each: int) -> list[Base]:
    """The bases in which nothing is found: what is planted in others could not be told from their own faults."""
    everything = bases(each)
    return [base for base, faults in zip(everything, told(everything), strict=True) if not faults]


def measured(plants: dict[str, Plant], sound: list[Base], seed: int = 8) -> Iterator[tuple[Case, set[Fault]]]:
    """Every case with what is told of it."""
    waiting: list[Case] = []
    for case in cases(plants, sound, seed):
        waiting.append(case)
        if len(waiting) == AT_A_TIME:
            yield from zip(waiting, told([c.base for c in waiting]), strict=True)
            waiting = []
    if waiting:
        yield from zip(waiting, told([c.base for c in waiting]), strict=True)


def main() -> None:
    """Prints recall by reason, what else was told, and what was told of clean plans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=60, help="plans of each origin")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--show", default="", help="list what was missed or wrongly told, of plants that begin so")
    options = parser.parse_args()
    sound = sound_bases(options.each)
    print("bases", dict(Counter(base.origin.partition("/")[0] for base in sound)))
    for plants in (PLANTS, CLEAN):
        report(plants, sound, options.seed, options.show)


def report(plants: dict[str, Plant], sound: list[Base], seed: int, show: str) -> None:
    """One line a plant; what was missed or wrongly told by variant, where asked for."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    wrong: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case, faults in measured(plants, sound, seed):
        expected = set(case.base.expected)
        missed, more = expected - faults, faults - expected
        counts[case.plant].update(planted=1, found=not missed, more=bool(more))
        for kind, some in (("missed", missed), ("more", more)):
            for reason, _ in some:
                wrong[case.plant][f"{kind} {reason}: {case.variant}"] += 1
    for name, count in counts.items():
        recall = count["found"] / count["planted"]
        print(
            f"{name:<30}{count['planted']:7} planted  {recall:8.4f} found  {count['more'] / count['planted']:8.4f} told more"
        )
        if show and name.startswith(show):
            for what, times in wrong[name].most_common(400):
                print(f"    {times:4} {what}")


if __name__ == "__main__":
    main()
