"""The manifest says what a release is made of: from which recipe, by which code, and the hash of every file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import orjson

from curation.errors import TargetError
from curation.release.facts import Facts, Fidelity, Funnel, FunnelStage
from curation.release.parquet import DataFile
from curation.release.splits import SPLITS
from schemas import load_schema

MANIFEST = "manifest.json"


def make(
    facts: Facts, created_at: datetime, rows: Mapping[str, int], digest: str, files: Sequence[DataFile]
) -> dict[str, Any]:
    """The manifest as JSON values; `rows` counts samples by split, `digest` covers the rows of all configurations."""
    return {
        "name": facts.name,
        "version": facts.version,
        "parent": facts.parent,
        "created_at": created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "licence": facts.licence,
        "recipe": facts.recipe,
        "code": facts.code,
        "stages": [asdict(stage) for stage in facts.stages],
        "judge": asdict(facts.judge),
        "funnel": _funnel(facts.funnel),
        **({"fidelity": [_fidelity(found) for found in facts.fidelity]} if facts.fidelity else {}),
        "samples": {"count": sum(rows.values()), "digest": digest},
        "splits": dict(rows),
        "empty_splits": [split for split in SPLITS if split not in rows],
        "files": [
            {"path": file.path, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}
            for file in sorted(files, key=lambda file: file.path)
        ],
    }


def _funnel(funnel: Funnel) -> dict[str, Any]:
    """The funnel in the words of `curation status --json`; `made` where samples were made of others."""
    told = {**asdict(funnel), "stages": [_status(stage) for stage in funnel.stages]}
    return told if funnel.made else {key: value for key, value in told.items() if key != "made"}


def _status(stage: FunnelStage) -> dict[str, Any]:
    """A stage under the keys that `curation status --json` uses."""
    return {
        "stage": stage.stage,
        "seen": stage.seen,
        "pass": stage.passed,
        "flag": stage.flagged,
        "fail": stage.failed,
        "abstain": stage.abstained,
        "reasons": dict(stage.reasons),
    }


def _fidelity(found: Fidelity) -> dict[str, Any]:
    lost = [{"what": what, "field": field, "records": records} for (what, field), records in found.lost.items()]
    return {**asdict(found), "lost": lost, "signals": dict(found.signals)}


def fidelity_of(manifest: Mapping[str, Any]) -> tuple[Fidelity, ...]:
    """What a manifest tells of the reading of its traces."""
    return tuple(
        Fidelity(**{**told, "lost": {(row["what"], row["field"]): row["records"] for row in told["lost"]}})
        for told in manifest.get("fidelity", ())
    )


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Puts the manifest into the folder; one that its schema refuses is never written."""
    jsonschema.validate(manifest, load_schema("manifest"), format_checker=jsonschema.FormatChecker())
    text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (folder / MANIFEST).write_bytes(text)


def read(folder: Path) -> dict[str, Any]:
    """The manifest of the release that lies in `folder`; TargetError where there is none or it is not one."""
    path = folder / MANIFEST
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise TargetError(f"{path} cannot be read ({error.strerror}): {folder} is not a release") from error


def parse(text: bytes, where: str) -> dict[str, Any]:
    """A manifest from its bytes; `where` names them in the TargetError raised where they are not a manifest."""
    try:
        manifest: dict[str, Any] = orjson.loads(text)
        jsonschema.validate(manifest, load_schema("manifest"))
    except orjson.JSONDecodeError as error:
        raise TargetError(f"{where} is not JSON ({error}): it is not the manifest of a release") from error
    except jsonschema.ValidationError as error:
        raise TargetError(
            f"{where} is not the manifest of a release: {error.json_path}: {error.message[:200]}"
        ) from error
    return manifest
