"""A recipe describes a dataset: where its traces come from, what is asked of them, who judges, what is released."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """Where traces come from; a sample belongs to a recipe when one of its traces has the source's name."""

    path: str | None = None  # None: what is already in the warehouse under this name
    format: str = "auto"  # recognised from a file's first records: right for every bundled format
    name: str = "production"  # the word used when nobody gives another
    where: str | None = None  # a condition on the trace's metadata; None: all of them


@dataclass(frozen=True)
class Samples:
    """Which kinds of sample the dataset is made of."""

    kinds: tuple[str, ...] = ("plan",)  # what the published orchestrators were trained on; `from` in the file
    turns: str = "all"  # of a trajectory: every turn that calls tools, or only the last
    backfill: tuple[str, ...] = (
        "schemas",
    )  # what the registry knows costs nothing; "thinking" is paid for, so asked for


@dataclass(frozen=True)
class Allow:
    """A value that the checks for placeholders and invented values let pass, where they would not."""

    value: str  # the whole value, as it is written
    plugin: str | None = None  # the pluginId of the call; None: any
    parameter: str | None = None  # the name that the value stands under; None: any


@dataclass(frozen=True)
class RuleChange:
    """What a recipe changes of one rule for placeholders; of an id that the table lacks, `pattern` makes a new rule.

    The fields but `off` are those of a rule in `curation/filters/placeholder_rules.toml`; None: as the table has it.
    """

    id: str
    off: bool = False  # the rule is not asked
    pattern: str | None = None
    spare: str | None = None
    spare_text: str | None = None
    spare_key: str | None = None
    said: str | None = None


@dataclass(frozen=True)
class Check:
    """What the row stages ask."""

    thinking: str = "required"  # the trainers teach the reasoning too; public sets have none: "optional"
    empty_plan: str = "fail"  # in production an empty plan is a refusal to help; "allow" where no call is right
    grounding: str = "flag"  # noted, not dropped: a guessed value may be a good one
    secret: str = "drop"  # a credential in training data can be recited by the model; "redact" makes a sample without
    pii: str = "keep"  # pseudonyms change what was said: whoever owes them to somebody asks for "pseudonymise"
    allow: tuple[Allow, ...] = ()  # nothing: each value that is let pass needs somebody who wants it
    placeholder: tuple[RuleChange, ...] = ()  # the bundled rules, which were measured; [placeholder] in the file


@dataclass(frozen=True)
class Dedup:
    """When two samples count as the same."""

    threshold: float = 0.8  # Jaccard similarity of word 5-grams: the field's usual value (datatrove, NeMo Curator)
    conflict: str = "flag"  # the same request with another plan may be a second right answer


@dataclass(frozen=True)
class Judge:
    """Who scores the survivors, and from which score on a sample is accepted."""

    backend: str = "vertex"  # never silently the offline rubric
    model: str = "claude-opus-4-6"  # the strongest judge whose prices we have read; the published sets name Claude Opus
    accept: float = 8.0  # of 10: the threshold of the published systems
    workers: int = 100  # requests in flight
    budget_usd: float | None = None  # the most that one run may spend; None: what it takes
    weights: Mapping[str, float] = field(
        default_factory=dict
    )  # of criteria in the overall score; the rest: the rubric's
    lift: float | None = None  # how far the overall score may be above the worst; None: the rubric's


@dataclass(frozen=True)
class Release:
    """What is published, and where."""

    to: str = "releases"  # a folder, or hf://owner/name
    licence: str | None = None  # required to publish: nobody may use data without one
    configs: tuple[str, ...] = ("sft", "grpo")  # what the bundled trainers read
    candidates_per_prompt: int | None = None  # None: the candidates of the trace, as they were
    validation: float = 0.05  # share of the groups of like samples: enough to choose settings on a few thousand rows
    test: float = 0.05  # as above, for the last measurement


@dataclass(frozen=True)
class Guard:
    """What holds a release for a person instead of letting it go out."""

    new_rows: int | None = None  # the least that the last release does not have; None: nobody knows a usual night yet
    dropped: float | None = None  # the largest share of what came since, that one reason may put out; None: as above


@dataclass(frozen=True)
class Schedule:
    """When `curation serve` refreshes by itself."""

    cron: str | None = None  # None: only when somebody asks
    timezone: str = "UTC"  # a night that means the same everywhere, and no hour that comes twice


@dataclass(frozen=True)
class Train:
    """Which model is trained from a new version, and when."""

    preset: str | None = None  # a bundled one's name, or a file; needed unless `when` is never
    when: str = "never"  # GPUs cost money: "always" and "after approval" are asked for
    kind: str = "sft"  # a release teaches plans first; "grpo" goes on from a model that can plan
    model: str | None = None  # what to start from; None: the preset's


@dataclass(frozen=True)
class Recipe:
    """One TOML file, validated; `curation.recipes.load_recipe` reads it."""

    name: str
    description: str = ""
    sources: tuple[Source, ...] = ()  # none: every source in the warehouse; `[[source]]` in the file
    samples: Samples = field(default_factory=Samples)
    check: Check = field(default_factory=Check)
    dedup: Dedup = field(default_factory=Dedup)
    judge: Judge = field(default_factory=Judge)
    release: Release = field(default_factory=Release)
    guard: Guard = field(default_factory=Guard)
    schedule: Schedule = field(default_factory=Schedule)
    train: Train = field(default_factory=Train)
    origin: Path | None = None  # the file it was read from
    text: str = ""  # the file's text, kept for the manifest
