"""Answers questions about a warehouse: the funnel, the decisions, the samples, everything known of one id."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from curation import lineage
from curation.claude.journal import count, journal_folder
from curation.errors import InputError
from curation.findings import findings
from curation.graph import plan_graph
from curation.masking import masked, masked_column
from curation.recipe import Recipe
from curation.spans import grounded
from curation.stages import REASONS
from flows import watching
from flows.comparing import changes
from flows.loading import load_samples, read_members
from flows.outfile import whole_file
from warehouse import Store

SHOWN_TEXTS = ("request", "messages", "candidates", "thinking", "plan", "source")  # of a sample, with what people wrote
OPEN = ("undecided", "not measured")  # what a verdict says where no stage has given a reason


def status(store: Store, recipe: Recipe, counted: dict[str, Any] | None = None) -> dict[str, Any]:
    """The funnel of one recipe as JSON values: what `status --json` prints. `counted`: what `counts` said, where nothing has changed."""
    with store.reading():
        counted = counts(store, recipe, read_members(store, recipe)) if counted is None else counted
        return {
            **counted,
            "waiting_replies": count(journal_folder(store.path)),
            "doubts": doubts(store, recipe),
            "releases": (made := releases(store, recipe.name)),
            "changes": changes(store, recipe.name, made[-1]["version"], made[-1]["parent"]) if made else None,
            "last_refresh": last_refresh(store, recipe.name),
            "trouble": [
                jsonable(row) for row in store.read("source_trouble", recipe=recipe.name).iter_rows(named=True)
            ],
        }


def counts(store: Store, recipe: Recipe, members: pl.DataFrame) -> dict[str, Any]:
    """What of `status` follows from traces, samples and decisions; a release changes none of it."""
    names = sorted({source.name for source in recipe.sources})
    sources = {"sources": pl.DataFrame({"name": names}, schema={"name": pl.String})}
    with store.reading():
        traces = store.read("trace_counts", sources, only_sources=bool(names)).row(0, named=True)
        kinds = store.read("sample_counts", sources, only_sources=bool(names))
        verdicts = store.read("verdict_counts", {"members": members}, recipe=recipe.name)
        return {
            "recipe": recipe.name,
            "traces": traces["traces"],
            "unreadable": traces["unreadable"],
            "repeated": int(kinds["repeated"].sum()),
            "kinds": dict(kinds.select("kind", "samples").iter_rows()),
            "samples": members.height,
            "made": dict(members["maker"].drop_nulls().value_counts().sort("maker").iter_rows()),
            "replaced": count_replaced(store, recipe, members),
            "stages": stage_counts(store, recipe, members),
            "fell": [
                {"stage": stage, "reason": reason, "samples": samples}
                for accepted, stage, reason, samples in verdicts.iter_rows()
                if not accepted
            ],
            "accepted": int(verdicts.filter("accepted")["samples"].sum()),
            "usd": store.read("spent", {"members": members}, recipe=recipe.name).item(),
        }


def doubts(store: Store, recipe: Recipe) -> list[str]:
    """What the judge's watch has found since the last published release: why the next one will be held."""
    return list(watching.findings(store, recipe, watching.last_published(releases(store, recipe.name))))


def last_refresh(store: Store, name: str) -> dict[str, Any] | None:
    """How the last refresh of a recipe went, and how many samples it accepted more than the one before; None: none yet."""
    rows = list(store.read("refreshes", recipe=name, most=2).iter_rows(named=True))
    if not rows:
        return None
    accepted = [orjson.loads(row["funnel"])["accepted"] if row["funnel"] else None for row in rows]
    now, before = (*accepted, None)[:2]
    more = None if now is None or before is None else now - before
    last = {key: value for key, value in rows[0].items() if key not in ("funnel", "started_at", "finished_at")}
    times = {key: rows[0][key] and rows[0][key].isoformat() for key in ("started_at", "finished_at")}
    return last | times | {"more_accepted": more}


def count_replaced(store: Store, recipe: Recipe, members: pl.DataFrame) -> int:
    """How many members gave their place to a child at the recipe's last check."""
    replaced = members.filter(pl.col("replaced_by").is_not_null())
    if replaced.is_empty():
        return 0
    fell = store.read("verdict_counts", {"members": replaced}, recipe=recipe.name)
    return int(fell.filter(pl.col("reason") == lineage.REASONS[0])["samples"].sum())


def stage_counts(store: Store, recipe: Recipe, members: pl.DataFrame) -> list[dict[str, Any]]:
    """Per stage of the recipe: how many samples it has seen, by outcome, and how often it gave each reason."""
    asked = store.read("recipe_stages", recipe=recipe.name)["stage"].to_list()
    counts = store.read("stage_counts", {"members": members}, recipe=recipe.name)
    rows = []
    for stage in asked:
        own = counts.filter(pl.col("stage") == stage)
        outcome = dict(own.group_by("outcome").agg(pl.col("samples").sum()).iter_rows())
        reasons = own.filter(pl.col("reason").is_not_null() & (pl.col("outcome") != "pass"))
        rows.append(
            {
                "stage": stage,
                "seen": sum(outcome.values()),
                **{name: outcome.get(name, 0) for name in ("pass", "flag", "fail", "abstain")},
                "reasons": dict(
                    reasons.group_by("reason", maintain_order=True).agg(pl.col("samples").sum()).iter_rows()
                ),
            }
        )
    return rows


def releases(store: Store, name: str | None) -> list[dict[str, Any]]:
    """The releases of one dataset, or of all, oldest first."""
    rows = store.read("release_counts", name=name)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows.iter_rows(named=True):
        entry = found.setdefault(
            (row["name"], row["version"]),
            {key: row[key] for key in ("name", "version", "state", "parent", "target", "path", "commit", "digest")}
            | {"created_at": row["created_at"].isoformat(), "rows": {}, "guards": orjson.loads(row["guards"] or "[]")},
        )
        if row["split"] is not None:
            entry["rows"][row["split"]] = row["samples"]
    return list(found.values())


def decisions(store: Store, recipe: Recipe) -> pl.DataFrame:
    """One row per fault of a decision that is not a pass: trace_id, trace_ids, sample_id, stage, outcome, reason, detail."""
    return store.read("decisions", {"members": read_members(store, recipe)}, recipe=recipe.name)


def chosen_samples(store: Store, recipe: Recipe, accepted: bool, reason: str | None, limit: int | None) -> pl.DataFrame:
    """Member samples with their verdict, at most `limit`, in the order of their ids; credentials are told by their kind.

    Raises InputError for a `reason` that no stage gives.
    """
    require_reason(reason)
    members = read_members(store, recipe)
    verdicts = store.read(
        "verdicts", {"members": members}, recipe=recipe.name, accepted=True if accepted else None, reason=None
    )
    ids = members.select("sample_id").join(verdicts, on="sample_id", how="inner" if accepted else "left")
    if reason is not None:
        found = store.read("with_reason", {"members": members}, recipe=recipe.name, reason=reason)
        ids = ids.filter(pl.col("sample_id").is_in(found["sample_id"].implode()) | (pl.col("reason") == reason))
    ids = ids.sort("sample_id").head(limit) if limit is not None else ids.sort("sample_id")
    found = load_samples(store, ids["sample_id"]).join(ids, on="sample_id", how="left", maintain_order="left")
    return without_secrets(found)


def require_reason(reason: str | None) -> None:
    """Raises InputError, with the reasons there are, for one that is none of them; None asks for none."""
    known = (*REASONS, *OPEN)
    if reason is None or reason in known:
        return
    near = difflib.get_close_matches(reason, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"--reason {reason!r} is none that a stage gives; {hint}there are: {', '.join(known)}")


def explain(store: Store, identifier: str) -> dict[str, Any]:
    """Everything known of a trace or a sample, as JSON values. Raises InputError where nothing has that id."""
    with store.reading():
        return read_all_of(store, identifier)


def read_all_of(store: Store, identifier: str) -> dict[str, Any]:
    """What `explain` says, read through one connection. A credential is told by its kind, wherever it stands."""
    found = store.read("explain_ids", id=identifier)
    if found.is_empty():
        raise InputError(
            f"nothing is called {identifier!r} in {store.path}; give a trace_id, a trace_key or a sample_id (`curation samples` lists them)"
        )
    tables = {
        "keys": found.select(pl.col("trace_key").cast(pl.String)).drop_nulls(),
        "ids": found.select(pl.col("sample_id").cast(pl.String)).drop_nulls(),
    }
    ids = store.read("explain_samples", tables)
    samples = without_secrets(ids.join(load_samples(store, ids["sample_id"]), on="sample_id", maintain_order="left"))
    traces = [masked(jsonable(row)) for row in store.read("explain_traces", tables).iter_rows(named=True)]
    return {
        "id": identifier,
        "traces": traces,
        "samples": [explained(store, row) for row in samples.iter_rows(named=True)],
    }


def explained(store: Store, sample: dict[str, Any]) -> dict[str, Any]:
    """One sample with what it was made of and what was made of it, its graph and faults, judgements, verdicts and releases."""
    about = {"sample_id": sample["sample_id"]}
    shown = jsonable(sample)
    family = [jsonable(row) for row in store.read("explain_children", **about).iter_rows(named=True)]
    decisions = [jsonable(row) for row in store.read("explain_decisions", **about).iter_rows(named=True)]
    return shown | {
        "grounded": grounded(sample["request"], sample["plan"]),
        "graph": plan_graph(sample["plan"]),
        "made_of": [relative(row) for row in family if row["what"] == "parent"],
        "children": [relative(row) for row in family if row["what"] == "child"],
        "decisions": decisions,
        "findings": findings(decisions, sample["plan"], shown["candidates"]),
        "judgements": [
            masked(jsonable(row)) for row in store.read("explain_judgements", **about).iter_rows(named=True)
        ],
        "standing": [jsonable(row) for row in store.read("explain_verdicts", **about).iter_rows(named=True)],
    }


def without_secrets(samples: pl.DataFrame) -> pl.DataFrame:
    """A sample frame as it may be shown: a credential stands in it by its kind alone."""
    return samples.with_columns(masked_column(samples[name]) for name in SHOWN_TEXTS)


def relative(row: dict[str, Any]) -> dict[str, Any]:
    """A sample at the other end of a derivation."""
    return {key: row[key] for key in ("sample_id", "maker", "mark", "made_at", "stands")}


JSON_COLUMNS = ("parameters", "returns", "messages", "candidates", "metadata", "detail", "faults", "leans_on", "scores")


def jsonable(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON values: JSON text becomes what it says, times become ISO 8601."""
    plain = dict(row)
    for key, value in row.items():
        if key in JSON_COLUMNS and isinstance(value, str):
            plain[key] = orjson.loads(value)
        elif hasattr(value, "isoformat"):
            plain[key] = value.isoformat()
    return plain


def save(frame: pl.DataFrame, out: Path, format: str) -> None:  # noqa: A002 - the option's name
    """Writes a frame as `parquet` or `jsonl`, whole or not at all. Raises InputError where it cannot."""
    with whole_file(out) as path:
        if format == "parquet":
            frame.write_parquet(path)
        else:
            with path.open("wb") as file:
                file.writelines(json_lines(frame))


def json_lines(frame: pl.DataFrame) -> Iterator[bytes]:
    """One JSON object a line, JSON columns as what they say."""
    return (orjson.dumps(jsonable(row)) + b"\n" for row in frame.iter_rows(named=True))
