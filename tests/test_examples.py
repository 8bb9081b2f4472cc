"""The bundled examples are what their generator writes, and every fault in them is found by its reason."""

from collections import Counter, defaultdict
from pathlib import Path

import orjson
import polars as pl
import pytest

from curation.batch import Batch
from curation.dedup.text import document, keys, shingles
from curation.examples import TRACES
from curation.examples.copies import COPIES
from curation.examples.faults import FAULTS
from curation.examples.generate import FILES, File, generate, labels
from curation.examples.registry import functions, plugins, table
from curation.filters import secret
from curation.ingest import DataFile, Ingested, read
from curation.recipe import Check
from curation.stages import ROW_STAGES

LABELS = Path(__file__).parent / "data" / "examples_labels.jsonl"
ROW_FAULTS = [reason for reason in FAULTS if reason != "judge.below_threshold"]
PASSED_BY_ROW_STAGES = {"clean", "judge.below_threshold", "repeated.bytes", *COPIES}


@pytest.fixture(scope="module")
def labelled() -> pl.DataFrame:
    return pl.read_ndjson(LABELS)


@pytest.fixture(scope="module")
def ingested() -> dict[str, Ingested]:
    """Both files as the real readers read them."""
    return {file.name: next(iter(read(DataFile(trace_file(file), file.name), "examples"))) for file in FILES}


@pytest.fixture(scope="module")
def samples(ingested: dict[str, Ingested]) -> pl.DataFrame:
    """All samples, those of a run with the messages that came before them."""
    everything = pl.concat([part.samples for part in ingested.values()]).unique(
        "sample_id", keep="first", maintain_order=True
    )
    runs = dict(everything.filter(kind="trajectory").select("sample_id", "messages").iter_rows())
    messages = [
        own if own is not None else orjson.dumps(orjson.loads(runs[parent])[:turn]).decode()
        for own, parent, turn in everything.select("messages", "parent_id", "turn").iter_rows()
    ]
    return everything.with_columns(messages=pl.Series(messages, dtype=pl.String))


@pytest.fixture(scope="module")
def found(samples: pl.DataFrame, ingested: dict[str, Ingested]) -> dict[tuple[str, int], list[str]]:
    """(file, line) -> the reasons under which the row stages fail any sample of that line, in the stages' order."""
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for stage in ROW_STAGES:
        decided = stage.decide(Batch(samples.filter(pl.col("kind").is_in(stage.KINDS))), Check())
        for sample_id, faults in decided.filter(outcome="fail").select("sample_id", "faults").iter_rows():
            reasons[sample_id] += [fault["reason"] for fault in orjson.loads(faults)]
    by_line: dict[tuple[str, int], list[str]] = {}
    for name, part in ingested.items():
        lines = part.traces.join(part.links, on="trace_key", how="left").select("line", "sample_id")
        for line, sample_id in lines.iter_rows():
            by_line.setdefault((f"{name}.jsonl", line), []).extend(reasons.get(sample_id, []))
    return by_line


def trace_file(file: File) -> Path:
    return TRACES / f"{file.name}.jsonl"


def of_kind(labelled: pl.DataFrame, expected: str) -> list[tuple[str, int]]:
    return list(labelled.filter(expected=expected).select("file", "line").iter_rows())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_committed_file_is_what_the_generator_writes(file: File) -> None:
    written = b"".join(line.content + b"\n" for line in generate(file))
    assert trace_file(file).read_bytes() == written, (
        "run `python -m curation.examples.generate --labels tests/data/examples_labels.jsonl`"
    )


def test_the_labels_are_what_the_generator_meant() -> None:
    assert LABELS.read_text(encoding="utf-8") == labels({file.name: generate(file) for file in FILES})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_another_seed_gives_other_traces_with_the_same_faults(file: File) -> None:
    ours, theirs = generate(file), generate(file, seed=7)
    assert Counter(line.expected for line in ours) == Counter(line.expected for line in theirs)
    assert not {line.content for line in ours} & {line.content for line in theirs}


def test_the_files_together_stay_small() -> None:
    assert sum(trace_file(file).stat().st_size for file in FILES) < 6_000_000


def test_a_third_of_the_traces_is_faulty(labelled: pl.DataFrame) -> None:
    assert len(labelled) == sum(table("faults")[file.name]["traces"] for file in FILES) >= 1000
    assert 0.30 <= 1 - labelled["expected"].value_counts().filter(expected="clean")["count"][0] / len(labelled) <= 0.36


@pytest.mark.parametrize("reason", FAULTS)
def test_every_fault_that_can_be_planted_is_planted_often_enough_to_be_seen(
    reason: str, labelled: pl.DataFrame
) -> None:
    assert len(of_kind(labelled, reason)) >= 5


@pytest.mark.parametrize("reason", ROW_FAULTS)
def test_every_planted_fault_is_found_first_under_its_own_reason(
    reason: str, labelled: pl.DataFrame, found: dict[tuple[str, int], list[str]]
) -> None:
    told = {place: found[place] for place in of_kind(labelled, reason)}
    assert {place: reasons for place, reasons in told.items() if reasons[:1] != [reason]} == {}


@pytest.mark.parametrize("expected", sorted(PASSED_BY_ROW_STAGES))
def test_no_trace_without_a_row_fault_fails_a_row_stage(
    expected: str, labelled: pl.DataFrame, found: dict[tuple[str, int], list[str]]
) -> None:
    told = {place: found[place] for place in of_kind(labelled, expected)}
    assert told
    assert {place: reasons for place, reasons in told.items() if reasons} == {}


def test_what_is_labelled_unreadable_and_nothing_else_cannot_be_read(
    labelled: pl.DataFrame, ingested: dict[str, Ingested]
) -> None:
    broken = {(f"{name}.jsonl", problem.line) for name, part in ingested.items() for problem in part.problems}
    assert broken == set(of_kind(labelled, "unreadable"))
    assert len(broken) >= 5


def test_unanswered_requests_are_prompts(labelled: pl.DataFrame, samples: pl.DataFrame) -> None:
    unanswered = labelled.filter(expected="no_answer")["trace_id"]
    assert set(samples.filter(kind="prompt")["trace_id"]) == set(unanswered) != set()


@pytest.mark.parametrize("expected", ["repeated.bytes", "repeated.content"])
def test_repeated_traces_bring_no_new_sample(
    expected: str, labelled: pl.DataFrame, ingested: dict[str, Ingested]
) -> None:
    for name, part in ingested.items():
        linked = part.traces.join(part.links, on="trace_key").select("line", "sample_id")
        first = dict(linked.group_by("sample_id").agg(pl.col("line").min()).iter_rows())
        lines = [line for file, line in of_kind(labelled, expected) if file == f"{name}.jsonl"]
        held = linked.filter(pl.col("line").is_in(lines))
        assert set(held["line"]) == set(lines) != set()
        assert all(first[sample_id] < line for line, sample_id in held.iter_rows())


def test_exact_copies_have_an_earlier_twin_and_conflicts_an_earlier_sibling(
    labelled: pl.DataFrame, samples: pl.DataFrame
) -> None:
    keyed = [(row[0], *keys(row[1], row[2])) for row in plans_of(samples, labelled)]
    expected = dict(labelled.filter(pl.col("trace_id").is_not_null()).select("trace_id", "expected").iter_rows())
    exact = [(trace, key) for trace, _, key in keyed if expected[trace] == "duplicate.exact"]
    conflicts = [(trace, request, key) for trace, request, key in keyed if expected[trace] == "duplicate.conflict"]
    originals = [(request, key) for trace, request, key in keyed if expected[trace] == "clean"]
    assert exact
    assert {key for _, key in exact} <= {key for _, key in originals}
    assert conflicts
    assert {request for _, request, _ in conflicts} <= {request for request, _ in originals}
    assert not {key for *_, key in conflicts} & {key for _, key in originals}


def test_near_copies_are_alike_and_hardly_any_other_traces_are(labelled: pl.DataFrame, samples: pl.DataFrame) -> None:
    expected = dict(labelled.filter(pl.col("trace_id").is_not_null()).select("trace_id", "expected").iter_rows())
    kept: list[tuple[str, set[int]]] = []
    holders: defaultdict[int, list[int]] = defaultdict(list)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for trace, messages, plan in plans_of(samples, labelled):
        own = shingles(document(messages, plan))
        common = Counter(other for gram in own for other in holders[gram])
        for other, count in common.items():
            if count / (len(own) + len(kept[other][1]) - count) >= 0.8:
                alike[trace].append(kept[other][0])
        for gram in own:
            holders[gram].append(len(kept))
        kept.append((trace, own))
    near = [trace for trace, kind in expected.items() if kind == "duplicate.near"]
    assert near
    assert [trace for trace in near if not alike[trace]] == []
    assert len([trace for trace, kind in expected.items() if kind == "clean" and alike[trace]]) <= 2
    assert [trace for trace, kind in expected.items() if kind == "duplicate.conflict" and alike[trace]] == []


def plans_of(samples: pl.DataFrame, labelled: pl.DataFrame) -> list[tuple[str, str, str]]:
    """(trace_id, messages, plan) of every plan that is no turn of a run, in the order in which they came."""
    wanted = labelled.filter(pl.col("expected").is_in(["clean", *COPIES]))["trace_id"].to_list()
    plans = samples.filter(
        pl.col("trace_id").is_in(wanted) & (pl.col("kind") == "plan") & pl.col("parent_id").is_null()
    )
    return list(plans.sort("timestamp").select("trace_id", "messages", "plan").iter_rows())


@pytest.mark.parametrize(
    ("category", "least"),
    [("1_step", 250), ("2_step", 150), ("3_step", 70), ("4_step", 25), ("5+_step", 10), ("multi_turn", 60)],
)
def test_every_category_of_plan_is_there(category: str, least: int, samples: pl.DataFrame) -> None:
    assert len(samples.filter(category=category)) >= least


def test_runs_plans_as_text_and_parallel_calls_are_among_the_chat_logs(ingested: dict[str, Ingested]) -> None:
    chat = ingested["openai"].samples
    assert len(chat.filter(kind="trajectory")) >= 40
    assert len(chat.filter(pl.col("parent_id").is_not_null())) >= 90
    assert len(chat.filter(pl.col("parent_id").is_null() & (pl.col("n_steps") > 1))) >= 40


def test_some_native_traces_hold_their_candidates_inside_the_message(ingested: dict[str, Ingested]) -> None:
    raws = [orjson.loads(raw) for raw in ingested["ondemand"].traces.filter(pl.col("error").is_null())["raw"]]
    assert 0.05 <= sum("candidates" not in record for record in raws) / len(raws) <= 0.2
    assert ingested["ondemand"].samples["candidates"].null_count() == 0


def test_a_plan_is_offered_with_hard_negatives(samples: pl.DataFrame) -> None:
    offered = samples["candidates"].map_elements(lambda text: len(orjson.loads(text)), return_dtype=pl.Int64)
    assert offered.is_between(4, 8).all()  # 4: a plugin that the plan calls was taken out on purpose


def test_no_line_of_the_files_looks_like_a_leaked_key() -> None:
    lines = [line for file in FILES for line in trace_file(file).read_bytes().decode(errors="replace").splitlines()]
    messages = [orjson.dumps([{"role": "user", "content": line}]).decode() for line in lines]
    frame = pl.DataFrame({"sample_id": [str(i) for i in range(len(lines))], "messages": messages})
    raw = frame.with_columns(
        kind=pl.lit("prompt"),
        candidates=pl.lit(None, pl.String),
        thinking=pl.lit(None, pl.String),
        plan=pl.lit(None, pl.String),
        source=pl.lit("examples"),
    )
    assert secret.decide(Batch(raw), Check()).filter(outcome="fail").is_empty()


def test_nothing_in_a_trace_tells_what_it_was_made_to_be() -> None:
    content = b"".join(trace_file(file).read_bytes() for file in FILES)
    assert [reason for reason in [*FAULTS, *COPIES] if reason.encode() in content] == []


def test_every_plugin_is_asked_for_and_is_a_candidate_of_both_forms() -> None:
    assert plugins().keys() == functions().keys() == table("requests")["ask"].keys()
    assert len({plugin.plugin_id for plugin in plugins().values()}) == len(plugins()) >= 55
    assert len({plugin.domain for plugin in plugins().values()}) >= 12
    for link in table("requests")["link"]:
        for path in link["takes"]:
            plugins()[link["to"]].schema_of(path)
