"""The card is what a person reads before using a release, and what the Hub and `datasets` read to load it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from string import Template
from typing import Any

import polars as pl
import yaml

from curation.children import MADE
from curation.credentials import mask
from curation.release.facts import Facts, Fidelity, Funnel, JudgeFacts
from curation.release.parquet import DataFile, pattern
from curation.release.rows import CONFIGS
from curation.release.splits import SPLITS

CARD = "README.md"

# Upper bounds of the size classes that the Hub knows, in samples.
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGEST = "1M<n<10M"

DTYPES = {pl.String(): "string", pl.Float64(): "float64", pl.Int32(): "int32"}


@dataclass(frozen=True)
class Contents:
    """What there is to describe: the data files of each configuration by split, and counts of the samples.

    `rows`: samples by split, empty splits absent. `tally`: one row per (split, category, source) with `n` samples.
    """

    data: Mapping[str, Mapping[str, Sequence[DataFile]]]
    rows: Mapping[str, int]
    tally: pl.DataFrame


def render(facts: Facts, contents: Contents) -> str:
    """The whole README.md: YAML between `---` lines, then prose."""
    header = yaml.safe_dump(metadata(facts, contents), sort_keys=False, allow_unicode=True, width=120)
    body = Template(_text("card.md")).substitute(
        name=facts.name,
        description=facts.description.strip() or "Plans of a tool-calling agent.",
        version=facts.version,
        parent=facts.parent or "none, it is the first",
        licence=facts.licence,
        configs="\n".join(f"- `{config}`: rows for {CONFIGS[config].purpose}." for config in contents.data),
        load=_load(facts, contents),
        splits=_splits(contents.rows),
        categories=_shares(contents.tally, "category", contents.rows),
        sources=_shares(contents.tally, "source", contents.rows),
        fidelity=_fidelity(facts.fidelity),
        funnel=_funnel(facts.funnel),
        judge=_judge(facts.judge),
    )
    return f"---\n{header}---\n\n{body}"


def metadata(facts: Facts, contents: Contents) -> dict[str, Any]:
    """The card's YAML as values: licence, size, and how `datasets` finds the files of each configuration and split."""
    return {
        **_licence(facts.licence),
        "pretty_name": facts.name,
        "task_categories": ["text-generation"],
        "tags": ["tool-calling", "planning", "agents", "curation"],
        "size_categories": [_size(sum(contents.rows.values()))],
        "configs": [
            {
                "config_name": config,
                "data_files": [{"split": split, "path": pattern(files[0])} for split, files in splits.items()],
                **({"default": True} if i == 0 else {}),
            }
            for i, (config, splits) in enumerate(contents.data.items())
        ],
        "dataset_info": [_info(config, splits) for config, splits in contents.data.items()],
    }


def _info(config: str, splits: Mapping[str, Sequence[DataFile]]) -> dict[str, Any]:
    described = [
        {
            "name": split,
            "num_bytes": sum(file.size for file in files),
            "num_examples": sum(file.rows or 0 for file in files),
        }
        for split, files in splits.items()
    ]
    return {
        "config_name": config,
        "features": [_feature(name, dtype) for name, dtype in CONFIGS[config].schema.items()],
        "splits": described,
        "download_size": sum(file.bytes for files in splits.values() for file in files),
        "dataset_size": sum(split["num_bytes"] for split in described),
    }


def _feature(name: str, dtype: pl.DataType) -> dict[str, Any]:
    """A column as the Hub's YAML writes it."""
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        return {"name": name, "list": [{"name": field.name, "dtype": "string"} for field in dtype.inner.fields]}
    return {"name": name, "dtype": DTYPES[dtype]}


def _licence(licence: str) -> dict[str, str]:
    """The licence as the Hub wants it: one of the ids that it knows, or `other` with a name."""
    known = licence.lower()
    if known in json.loads(_text("hub_licences.json")):
        return {"license": known}
    return {"license": "other", "license_name": licence}


def _size(count: int) -> str:
    return next((size for limit, size in SIZES if count < limit), LARGEST)


def _load(facts: Facts, contents: Contents) -> str:
    config = next(iter(contents.data))
    lines = (
        "```python",
        "from datasets import load_dataset",
        "",
        f'load_dataset("path/to/{facts.name}-v{facts.version}", "{config}")  # a folder',
        f'load_dataset("owner/name", "{config}", revision="v{facts.version}")  # the Hub',
        "```",
    )
    return "\n".join(lines)


def _splits(rows: Mapping[str, int]) -> str:
    total = sum(rows.values())
    table = _table(("split", "samples", "share"), [(s, str(n), f"{n / total:.1%}") for s, n in rows.items()])
    empty = [split for split in SPLITS if split not in rows]
    said = "".join(f"\n\nThe split `{split}` is empty in this version and therefore left out." for split in empty)
    return table + said


def _shares(tally: pl.DataFrame, by: str, rows: Mapping[str, int]) -> str:
    """A table of counts and shares within each split, by the values of one column."""
    counts = {(value, split): n for value, split, n in tally.group_by(by, "split").agg(pl.sum("n")).iter_rows()}
    values = sorted({value for value, _ in counts}, key=lambda value: (value is None, value))
    lines = [
        (_cell(value), *(f"{counts.get((value, s), 0)} ({counts.get((value, s), 0) / n:.1%})" for s, n in rows.items()))
        for value in values
    ]
    return _table((by, *rows), lines)


def _funnel(funnel: Funnel) -> str:
    """How many samples each stage saw, what it thought of them, and the reasons that it gave."""
    made = sum(funnel.made.values())
    counts = (
        f"{funnel.traces} traces ({funnel.unreadable} unreadable) gave {funnel.samples - made} different samples "
        f"({funnel.repeated} repetitions are not counted again); {funnel.accepted} were accepted."
    )
    if made:
        by_maker = ", ".join(f"{number} {MADE.get(maker, maker)}" for maker, number in funnel.made.items())
        counts += (
            f" {made} more samples were made of these and stand in their place ({by_maker}); the replaced ones are "
            "counted under `lineage.superseded`."
        )
    lines = [
        (_cell(s.stage), *(str(n) for n in (s.seen, s.passed, s.flagged, s.failed, s.abstained)), _reasons(s.reasons))
        for s in funnel.stages
    ]
    return f"{counts}\n\n{_table(('stage', 'seen', 'pass', 'flag', 'fail', 'not measured', 'reasons'), lines)}"


def _reasons(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"`{reason}` {n}" for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def _fidelity(sources: Sequence[Fidelity]) -> str:
    """What was read of each source, and what no sample could take over."""
    if not sources:
        return "Not measured for this version."
    header = ("source", "format", "records read", "joined", "unreadable", "outcome told")
    lines = [
        (_cell(s.source), s.format, *(str(n) for n in (s.read, s.joined, s.unreadable)), _signals(s.signals))
        for s in sources
    ]
    lost = [
        (_cell(s.source), s.format, what, f"`{_cell(field)}`", str(records))
        for s in sources
        for (what, field), records in s.lost.items()
    ]
    losses = (
        f"Fields that were not carried over:\n\n{_table(('source', 'format', 'lost', 'field', 'records'), lost)}"
        if lost
        else "Every field that the readers know was carried over."
    )
    return f"{_table(header, lines)}\n\n{losses}"


def _signals(signals: Mapping[str, int]) -> str:
    return ", ".join(f"`{key}` {n}" for key, n in signals.items())


def _judge(judge: JudgeFacts) -> str:
    text = _text("card_judge_offline.md" if judge.offline else "card_judge_model.md")
    return Template(text.rstrip("\n")).substitute(
        model=judge.model, backend=judge.backend, accept=f"{judge.accept:g}", spec=judge.spec
    )


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: str | None) -> str:
    """A value of the data as a table can hold it; whoever wrote it may have put a credential there."""
    return "not known" if value is None else mask(" ".join(value.split())).replace("|", "\\|")


def _text(name: str) -> str:
    return (package_files("curation") / "release" / name).read_text(encoding="utf-8")
