"""Makes the release of a frozen task: `python benchmarks/plan_task.py benchmarks/tasks/plans_384.toml OUT`."""

import hashlib
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

import curation
from curation.recipe import Release
from curation.registry import bundled_plugins
from curation.release.build import build, folder_name
from curation.release.facts import Facts, Funnel, JudgeFacts
from curation.render import render_prompt
from curation.synthesis import Catalogue, parse_mix, synthesize
from curation.synthesis.selfcheck import sample_rows
from trainers.families import FAMILIES
from trainers.models import train_tokenizer
from trainers.presets import Preset, load_preset
from trainers.prompts import encode_prompt

Plugin = dict[str, Any]
Trace = dict[str, Any]
SIDES = {"held out": ("test",), "open": ("train", "validation")}
MARGIN = 8  # tokens: the release's own tokenizer is trained on the rows that are left, and may differ by some
AT = datetime(2026, 11, 25, tzinfo=UTC)


def read_task(path: Path) -> dict[str, Any]:
    """The task file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def small_plugin(plugin: Plugin, rules: dict[str, Any]) -> Plugin | None:
    """A plugin of the registry cut down by the task's rules; None for one that has no parameter left."""
    schema = plugin["parameters"]
    properties = schema["properties"]
    known = [name for name, member in properties.items() if member.get("type") in rules["types"]]
    needed = [name for name in schema.get("required", ()) if name in known]
    names = (needed + [name for name in known if name not in needed])[: rules["parameters"]]
    required = [name for name in names if name in needed] or names
    if not names:
        return None
    kept = {key: plugin[key] for key in rules["keep"] if key in plugin}
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split()[: rules["description_words"]])
    return {
        "pluginId": "-".join(plugin["name"].lower().split()),
        **kept,
        "parameters": {
            "type": "object",
            "properties": {name: small_schema(properties[name], rules) for name in names},
            "required": required,
        },
        **({"returns": plugin["returns"]} if "returns" in plugin else {}),
    }


def small_schema(schema: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema cut down by the task's rules."""
    made = {key: schema[key] for key in rules["schema"] if key in schema}
    if len(made.get("enum", ())) > rules["longest_enum"]:
        del made["enum"]
    return made


def plugins_of(task: dict[str, Any]) -> list[Plugin]:
    """The plugins of the task, each id once."""
    made = [small for plugin in bundled_plugins() if (small := small_plugin(plugin, task["plugins"]))]
    found = list({plugin["pluginId"]: plugin for plugin in made}.values())
    if len(found) < task["plugins"]["least"]:
        raise SystemExit(f"the task has {len(found)} plugins, fewer than {task['plugins']['least']}")
    return found


def pairs(plan: dict[str, Any]) -> Iterator[bytes]:
    """Every (plugin, value) of a plan as bytes; a reference to another step's output is no value."""
    for step in plan["plugins"]:
        for value in step["api_request_parameters"].values():
            if not (isinstance(value, str) and value.startswith("{{")):
                yield orjson.dumps([step["pluginId"], value])


def side(plan: dict[str, Any], by: str, held_out: float) -> str | None:
    """The side that a plan is on, or all its pairs are; None where they are on both, or there are none."""
    limit = held_out * 2**64
    sides = {
        "held out" if int.from_bytes(hashlib.blake2b(part, digest_size=8).digest()) < limit else "open"
        for part in (pairs(plan) if by == "pair" else [orjson.dumps(plan)])
    }
    return sides.pop() if len(sides) == 1 else None


def drawn(task: dict[str, Any]) -> dict[str, list[Trace]]:
    """The traces of each split, with some to spare. Raises SystemExit where the draws do not fill them."""
    asked, sizes = task["requests"], task["splits"]
    catalogue = Catalogue.of(plugins_of(task))
    wanted = {
        name: [split for split in splits for _ in range(round(sizes[split] * asked["spare"]))]
        for name, splits in SIDES.items()
    }
    taken: dict[str, list[Trace]] = {"train": [], "validation": [], "test": []}
    requests: set[str] = set()
    for trace in synthesize(catalogue, asked["draws"], asked["seed"], parse_mix(asked["mix"])):
        request, answer = trace["messages"][-2]["content"], trace["messages"][-1]["content"]
        text = answer.split("</think>\n", 1)[1]
        where = side(orjson.loads(text), sizes["held_out_by"], sizes["held_out"])
        if where is None or not wanted[where] or len(trace["candidates"]) != asked["candidates"]:
            continue
        if request in requests:
            continue
        requests.add(request)
        trace["messages"][-1]["content"] = answer if asked["thinking"] else text
        taken[wanted[where].pop(0)].append(trace)
        if not any(wanted.values()):
            return taken
    got = {split: len(traces) for split, traces in taken.items()}
    raise SystemExit(f"{asked['draws']:,} draws fill the splits only to {got} of {sizes}; set [requests] draws higher")


def row_of(trace: Trace) -> dict[str, Any]:
    """The row that a trace will be in the release, as far as a prompt needs it."""
    return {"prompt": render_prompt(trace["messages"][:-1], trace["candidates"]), "completion": trace["messages"][-1:]}


def chosen(task: dict[str, Any], preset: Preset) -> dict[str, list[Trace]]:
    """The traces of each split whose prompts are short enough, by a tokenizer trained on those drawn to train on."""
    found, asked = drawn(task), task["requests"]
    rows = (row_of(trace) for trace in found["train"])
    texts = (message["content"] for row in rows for message in (*row["prompt"], *row["completion"]))
    tokenizer = train_tokenizer(texts, FAMILIES[preset.family], preset.random)
    room = asked["longest_prompt"] - MARGIN
    fitting = {
        split: [trace for trace in traces if len(encode_prompt(tokenizer, row_of(trace), preset)) <= room]
        for split, traces in found.items()
    }
    short = {split: len(kept) for split, kept in fitting.items() if len(kept) < task["splits"][split]}
    if short:
        raise SystemExit(f"too few prompts are short enough: {short}; set [requests] spare higher")
    return {split: traces[: task["splits"][split]] for split, traces in fitting.items()}


def identity(path: Path, preset: Preset) -> str:
    """What decides a task's rows, as the name of a folder: the task's text, and the vocabulary that counts its tokens."""
    words = preset.random
    vocabulary = f"{preset.family} {preset.system} {preset.thinking} {words.vocabulary} {words.structured}"
    return "task-" + hashlib.blake2b(path.read_bytes() + vocabulary.encode(), digest_size=6).hexdigest()


def make_release(path: Path, out: Path) -> Path:
    """The folder of the task's release below `out`; made once for one text of the task and one vocabulary."""
    task = read_task(path)
    preset = load_preset(task["model"]["preset"])
    folder = out / identity(path, preset) / folder_name(task["name"], "1.0.0")
    if folder.exists():
        return folder
    frames = {split: sample_rows(traces) for split, traces in chosen(task, preset).items()}
    samples = pl.concat(frames.values()).with_columns(overall=pl.lit(None, pl.Float64))
    splits = pl.concat([f.select("sample_id", split=pl.lit(split)) for split, f in frames.items()])
    judge = JudgeFacts("none", "none", "none", 0.0, True)
    funnel = Funnel(samples.height, 0, 0, samples.height, (), samples.height)
    facts = Facts(
        task["name"], "1.0.0", None, path.read_text(encoding="utf-8"), curation.__version__, "apache-2.0", (), judge,
        funnel, "The release of a benchmark's frozen task.",
    )  # fmt: skip
    settings = Release(
        to=str(folder.parent), licence="apache-2.0", candidates_per_prompt=task["requests"]["candidates"]
    )
    return build(folder, samples, splits, facts, settings, AT).folder


if __name__ == "__main__":
    print(make_release(Path(sys.argv[1]), Path(sys.argv[2])))
