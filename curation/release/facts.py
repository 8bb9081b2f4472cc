"""What a release says of itself beyond its rows: where they came from, what was asked of them, who judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StageFacts:
    """A stage as it stood when the samples were decided."""

    stage: str
    version: str
    fingerprint: str


@dataclass(frozen=True)
class JudgeFacts:
    """Who scored the samples. `offline`: by the bundled rubric, so by no language model."""

    backend: str
    model: str
    spec: str  # hash of what was sent: rubric, prompt, reply schema, model
    accept: float  # the lowest overall score, 0-10, that was accepted
    offline: bool


@dataclass(frozen=True)
class FunnelStage:
    """How many samples reached a stage and what it thought of them; `reasons` counts the faults that it told."""

    stage: str
    seen: int
    passed: int
    flagged: int
    failed: int
    abstained: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Funnel:
    """From traces to accepted samples, as `curation status` shows it."""

    traces: int
    unreadable: int
    repeated: int
    samples: int
    stages: tuple[FunnelStage, ...]
    accepted: int
    made: Mapping[str, int] = field(
        default_factory=dict
    )  # samples made of others, by who made them (see children.MAKERS)


@dataclass(frozen=True)
class Fidelity:
    """What reading the traces of one source in one format found: counts of records, and nothing that they say.

    `lost`: (kind, field) -> records; `signals`: the metadata keys that tell how a run ended -> records.
    """

    source: str
    format: str
    read: int
    joined: int
    unreadable: int
    lost: Mapping[tuple[str, str], int]
    signals: Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """All that a manifest and a card tell and the samples themselves do not."""

    name: str
    version: str
    parent: str | None  # the version before this one
    recipe: str  # the recipe's text
    code: str  # the version of this software
    licence: str
    stages: tuple[StageFacts, ...]
    judge: JudgeFacts
    funnel: Funnel
    description: str = ""  # the recipe's own sentence on the dataset
    fidelity: tuple[Fidelity, ...] = ()  # none: it was not measured, as in a warehouse that is older than the measure
