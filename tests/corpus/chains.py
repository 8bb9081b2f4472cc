"""Plans that call what was not offered, or whose steps do not hang together."""

import random
from collections.abc import Iterator
from typing import Any

from tests.corpus.bases import Base
from tests.corpus.planting import PARAMETERS, Place, expecting, put, text_places

Json = Any


def ids(base: Base) -> list[str]:
    """The plugins that are called."""
    return [step["pluginId"] for step in base.steps]


def loner(base: Base, i: int) -> bool:
    """Whether no other step of the plan depends on the i-th or shares its id."""
    own = base.steps[i]["pluginId"]
    return ids(base).count(own) == 1 and not any(own in step["dependencies"] for step in base.steps)


def unknown_plugin(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A step's id is none of those offered: another spelling, another plugin, or the offer is gone."""
    at = [i for i in range(len(base.steps)) if loner(base, i)]
    if not at or base.candidates is None:
        return
    i = rng.choice(at)
    own, offered = base.steps[i]["pluginId"], {candidate["pluginId"] for candidate in base.candidates}
    spellings = {
        "capitals": own.upper(), "small": own.lower(), "suffix": own + "_v2", "blank after": own + " ", "blank before": " " + own,
        "another": "plugin-1799999999", "the name of none": "get_everything", "cut": own[:-1], "dashes": own.replace("_", "-"),
        "twice": own + own, "quoted": f'"{own}"', "a version": own + "@latest", "a path": "/" + own, "dotted": own + ".run", "null": "null",
        "zero width": own + "\u200b", "another alphabet": own.replace("a", "а").replace("e", "е"), "functions": f"functions.{own}",
    }  # fmt: skip
    for name, spelling in spellings.items():
        if spelling and spelling.strip() and spelling not in offered:
            planted = base.copy()
            planted.steps[i]["pluginId"] = spelling
            yield name, expecting(planted, ("plugin.unknown", f"/plugins/{i}/pluginId"))
    taken = base.copy()
    taken.candidates = [candidate for candidate in taken.candidates or () if candidate["pluginId"] != own]
    yield "no longer offered", expecting(taken, ("plugin.unknown", f"/plugins/{i}/pluginId"))
    emptied = base.copy()
    emptied.candidates = []
    yield (
        "nothing offered",
        expecting(emptied, *(("plugin.unknown", f"/plugins/{k}/pluginId") for k in range(len(base.steps)))),
    )
    extra = base.copy()
    extra.steps.append({**extra.steps[i], "pluginId": "send_summary", "dependencies": []})
    yield "a further step", expecting(extra, ("plugin.unknown", f"/plugins/{len(base.steps)}/pluginId"))


def unflagged(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """The flag is not JSON true."""
    i = rng.randrange(len(base.steps))
    at = f"/plugins/{i}/all_parameters_hydrated"
    for value in (
        "true",
        "True",
        "TRUE",
        "yes",
        "false",
        "",
        False,
        None,
        1,
        0,
        1.0,
        "1",
        [],
        [True],
        {},
        {"value": True},
    ):
        planted = base.copy()
        planted.steps[i]["all_parameters_hydrated"] = value
        yield repr(value), expecting(planted, ("hydration.flag", at))
    for name in ("All_Parameters_Hydrated", "all_parameter_hydrated", "allParametersHydrated"):
        planted = base.copy()
        planted.steps[i][name] = planted.steps[i].pop("all_parameters_hydrated")
        yield name, expecting(planted, ("hydration.flag", at))
    absent = base.copy()
    del absent.steps[i]["all_parameters_hydrated"]
    yield "absent", expecting(absent, ("hydration.flag", at))


def unknown_dependency(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """An entry or a reference that no step answers to."""
    i, present = rng.randrange(len(base.steps)), set(ids(base))
    own = base.steps[i]["pluginId"]
    offered = [c["pluginId"] for c in base.candidates or () if c["pluginId"] not in present]
    names = {
        "an uncalled candidate": offered[0] if offered else "plugin-7", "a number": "0", "one": "1", "step": "step_1", "a title": "Search the web",
        "capitals": own.swapcase(), "empty": "", "blank": own + " ", "reference": f"{{{{{own}.output}}}}", "cut": own[:-1] or "q", "none": "none", "previous": "previous",
        "output": own + ".output", "null": "null", "comma": f"{own}, {own}",
    }  # fmt: skip
    for name, text in names.items():
        if text not in present:
            planted = base.copy()
            planted.steps[i]["dependencies"].append(text)
            at = f"/plugins/{i}/dependencies/{len(base.steps[i]['dependencies'])}"
            yield f"entry: {name}", expecting(planted, ("dependency.unknown", at))
    for place in text_places(base)[:1]:
        for inner in (
            "plugin-7.output",
            "plugin-7.output.items[0].id",
            "step_1.output",
            "previous.output.text",
            "nobody.v2.output.a b",
        ):
            planted = put(base, place, f"{{{{{inner}}}}}")
            yield f"reference: {inner}", expecting(planted, ("dependency.unknown", place.pointer()))
        mixed = put(base, place, "see {{plugin-7.output.url}} for more")
        yield "reference in a text", expecting(mixed, ("dependency.unknown", place.pointer()))


def declared(base: Base) -> Iterator[tuple[Place, str]]:
    """Places of free text in a step, with the id of an earlier step that it could refer to."""
    for place in text_places(base):
        for earlier in base.steps[: place.step]:
            if earlier["pluginId"] not in base.steps[place.step]["dependencies"]:
                yield place, earlier["pluginId"]


def undeclared(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A value refers to a step of the plan that its own step does not declare."""
    options = list(declared(base))
    if options:
        place, target = rng.choice(options)
        texts = {
            "whole": f"{{{{{target}.output}}}}", "path": f"{{{{{target}.output.items[0].id}}}}", "in a text": f"about {{{{{target}.output.text}}}}, please",
            "twice": f"{{{{{target}.output.a}}}}-{{{{{target}.output.b}}}}", "spaced path": f"{{{{{target}.output.first name}}}}", "other letters": f"{{{{{target}.output.ключ}}}}",
        }  # fmt: skip
        for name, text in texts.items():
            yield name, expecting(put(base, place, text), ("dependency.undeclared", place.pointer()))
    for i, step in enumerate(base.steps):
        for place in [p for p in text_like(base, i) if "{{" in p.value]:
            for target in step["dependencies"]:
                if f"{{{{{target}.output" in place.value and not any(
                    other != target and other.startswith(target) for other in ids(base)
                ):
                    planted = base.copy()
                    planted.steps[i]["dependencies"].remove(target)
                    others = [p for p in text_like(planted, i) if f"{{{{{target}.output" in p.value]
                    yield "dropped", expecting(planted, *(("dependency.undeclared", p.pointer()) for p in others))
    for place in text_places(base)[:1]:
        own = base.steps[place.step]["pluginId"]
        if own not in base.steps[place.step]["dependencies"]:
            yield (
                "to itself",
                expecting(put(base, place, f"{{{{{own}.output.x}}}}"), ("dependency.undeclared", place.pointer())),
            )


def text_like(base: Base, i: int) -> list[Place]:
    """Every text of one step, whatever its schema says."""
    from tests.corpus.planting import places

    return [place for place in places(base) if place.step == i and isinstance(place.value, str)]


def independent(base: Base) -> Base:
    """The plan with its steps cut loose: no dependency, no reference; where every step has an id of its own."""
    cut = base.copy()
    for step in cut.steps:
        step["dependencies"] = []
    return cut


def loops(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Dependencies that close a circle; every entry that lies on it is told."""
    unique = len(set(ids(base))) == len(base.steps)
    for i in [i for i in range(len(base.steps)) if ids(base).count(ids(base)[i]) == 1]:
        planted = base.copy()
        planted.steps[i]["dependencies"].append(ids(base)[i])
        at = f"/plugins/{i}/dependencies/{len(base.steps[i]['dependencies'])}"
        yield "itself", expecting(planted, ("dependency.cycle", at))
        break
    for size in (2, 3, 4):
        if unique and len(base.steps) >= size and not any(uses_references(step) for step in base.steps):
            planted = independent(base)
            names = ids(planted)[:size]
            for k in range(size):
                planted.steps[k]["dependencies"] = [names[k - 1]]
            yield (
                f"of {size}",
                expecting(planted, *(("dependency.cycle", f"/plugins/{k}/dependencies/0") for k in range(size))),
            )
    for i, step in enumerate(base.steps):
        for j, entry in enumerate(step["dependencies"]):
            earlier = [k for k in range(i) if ids(base)[k] == entry]
            if unique and earlier:
                planted = base.copy()
                source = planted.steps[earlier[-1]]
                source["dependencies"].append(step["pluginId"])
                back = f"/plugins/{earlier[-1]}/dependencies/{len(source['dependencies']) - 1}"
                yield (
                    "back to its user",
                    expecting(
                        planted, ("dependency.cycle", f"/plugins/{i}/dependencies/{j}"), ("dependency.cycle", back)
                    ),
                )
                return


def uses_references(step: Json) -> bool:
    """Whether a step refers to any other."""
    return "{{" in str(step[PARAMETERS])


def disorder(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """An entry that only a later step answers to, without a loop."""
    names = ids(base)
    if len(set(names)) != len(names) or len(names) < 2:
        return
    if not any(step["dependencies"] for step in base.steps):
        planted = base.copy()
        planted.steps[0]["dependencies"] = [names[-1]]
        yield "the first needs the last", expecting(planted, ("dependency.order", "/plugins/0/dependencies/0"))
    linked = [names.index(d) for i, step in enumerate(base.steps) for d in step["dependencies"] if d in names[:i]]
    for source in linked[:1]:
        planted = base.copy()
        moved = planted.steps.pop(source)
        planted.steps.append(moved)
        order = [step["pluginId"] for step in planted.steps]
        told = [
            ("dependency.order", f"/plugins/{k}/dependencies/{m}")
            for k, step in enumerate(planted.steps)
            for m, entry in enumerate(step["dependencies"])
            if order.index(entry) > k
        ]
        yield "the source comes last", expecting(planted, *told)
