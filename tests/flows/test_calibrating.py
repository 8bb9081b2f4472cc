"""From no labels to a threshold: a blank sheet, labels that are kept, and what they say of the judge."""

import json
import shutil
from pathlib import Path

import orjson
import pytest

from curation.errors import InputError
from curation.judge.features import FEATURES
from curation.recipe import Recipe
from curation.recipes import load_recipe
from flows import calibrating
from flows.calibrating import Calibration
from flows.checking import check
from flows.ingesting import ingest
from flows.judging import judge
from tests import traces
from tests.conftest import Cli
from tests.judge.samples import CANDIDATES, sample
from warehouse import Store

SAMPLES = 60
CRITERIA = ("selection", "order", "parameters", "reasoning", "form")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recipe]:
    """A warehouse whose samples the offline rubric has judged, every third one with thoughts about something else."""
    folder = tmp_path_factory.mktemp("judged")
    store, source = Store(folder / "w.duckdb"), folder / "t.jsonl"
    rows = [traces.good(number) for number in range(SAMPLES)]
    for number in range(0, SAMPLES, 3):
        told = rows[number]["messages"][1]["content"]
        rows[number]["messages"][1]["content"] = "<think>Ok.</think>" + told.split("</think>")[1]
    traces.write(source, rows)
    path = folder / "r.toml"
    path.write_text(traces.recipe_text(source, folder / "out"))
    recipe = load_recipe(path)
    ingest(store, [str(source)], "auto", "production")
    check(store, recipe)
    judge(store, recipe)
    return store.path, recipe


@pytest.fixture
def judged(made: tuple[Path, Recipe], tmp_path: Path) -> tuple[Store, Recipe]:
    """The same warehouse without labels."""
    path, recipe = made
    return Store(shutil.copy(path, tmp_path / "w.duckdb")), recipe


def sheet(store: Store, recipe: Recipe, path: Path, number: int = SAMPLES) -> list[dict[str, object]]:
    calibrating.draw(store, recipe, path, number)
    return [json.loads(line) for line in path.read_text().splitlines()]


def is_poor(entry: dict[str, object]) -> bool:
    return entry["shown"]["thinking"] == "Ok."  # type: ignore[index]


def filled(entries: list[dict[str, object]], path: Path, labeller: str = "ada", **more: object) -> Path:
    """The sheet as a careful person fills it in: what is poor gets 1 for its reasoning."""
    for entry in entries:
        entry["scores"] = {name: 1 if name == "reasoning" and is_poor(entry) else 9 for name in CRITERIA}
        entry |= {"labeller": labeller, **more}
    path.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in entries))
    return path


def measured(judged: tuple[Store, Recipe], path: Path, precision: float = 0.8) -> Calibration:
    return calibrating.calibrate(*judged, path, precision)


def test_a_blank_sheet_shows_the_sample_and_nothing_of_the_judge(judged: tuple[Store, Recipe], tmp_path: Path) -> None:
    entries = sheet(*judged, tmp_path / "few.jsonl", 20)
    assert len(entries) == 20
    for entry in entries:
        assert set(entry) == {"sample_id", "scores", "accept", "shown"}
        assert entry["scores"] == dict.fromkeys(CRITERIA)
        assert set(entry["shown"]) == {"request", "messages", "candidates", "thinking", "plan"}  # type: ignore[call-overload]
    more = sheet(*judged, tmp_path / "more.jsonl", 40)
    assert more[:20] == entries, "a larger sheet holds the smaller one"
    with pytest.raises(InputError, match="exists already"):
        calibrating.draw(*judged, tmp_path / "few.jsonl", 5)


def test_labels_say_how_far_the_judge_can_be_believed_and_from_which_score_on(
    judged: tuple[Store, Recipe], tmp_path: Path
) -> None:
    entries = sheet(*judged, tmp_path / "sheet.jsonl")
    for entry in entries:
        entry["accept"] = not is_poor(entry)
    told = measured(judged, filled(entries, tmp_path / "labels.jsonl"))
    assert (told.samples, told.labellers, told.blank, told.unjudged) == (SAMPLES, 1, 0, 0)
    found = {row.criterion: row for row in told.agreements}
    assert list(found) == [*CRITERIA, "overall"]
    reasoning = found["reasoning"]
    assert reasoning.kappa is not None
    assert reasoning.low is not None
    assert reasoning.kappa > 0.9
    assert 0.8 < reasoning.low <= reasoning.kappa
    best = told.recommended
    assert best is not None
    assert (best.accepted, best.right, best.recall) == (40, 40, 1.0), "just those that people accept"
    assert 4.0 < best.threshold <= 8.0
    assert {row.feature for row in told.biases} == set(FEATURES)


def test_labels_are_kept_once_and_the_latest_of_a_person_counts(judged: tuple[Store, Recipe], tmp_path: Path) -> None:
    store, recipe = judged
    entries = sheet(store, recipe, tmp_path / "sheet.jsonl")
    own = filled(entries, tmp_path / "own.jsonl", "grace", labelled_at="2026-10-01T12:00:00Z")
    for _ in range(2):
        first = measured(judged, own)
    members = store.read("judged_members", recipe=recipe.name, spec=first.spec).select("sample_id")
    kept = store.read("labels", {"members": members}).filter(labeller="grace")
    assert kept.height == SAMPLES
    later = filled(entries, tmp_path / "later.jsonl", "grace", labelled_at="2026-10-02T12:00:00Z", note="again")
    measured(judged, later)
    kept = store.read("labels", {"members": members}).filter(labeller="grace")
    assert kept.height == SAMPLES
    assert kept["labelled_at"].dt.day().unique().to_list() == [2]


def test_two_people_are_held_against_each_other_and_their_means_against_the_judge(
    judged: tuple[Store, Recipe], tmp_path: Path
) -> None:
    entries = sheet(*judged, tmp_path / "sheet.jsonl")
    both = b"".join(filled(entries, tmp_path / f"{who}.jsonl", who).read_bytes() for who in ("mary", "joan"))
    (tmp_path / "both.jsonl").write_bytes(both)
    told = measured(judged, tmp_path / "both.jsonl")
    assert told.labellers >= 2
    assert next(row for row in told.agreements if row.criterion == "reasoning").people == pytest.approx(1.0)


def test_a_yes_or_no_is_a_label_too_and_blank_lines_are_none(judged: tuple[Store, Recipe], tmp_path: Path) -> None:
    entries = sheet(*judged, tmp_path / "sheet.jsonl")
    for number, entry in enumerate(entries):
        entry |= {"labeller": "yes-no", "accept": None if number < 10 else not is_poor(entry)}
    path = tmp_path / "accept.jsonl"
    path.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in entries))
    told = measured(judged, path)
    assert (told.samples, told.blank) == (SAMPLES - 10, 10)
    assert told.agreements == [], "nobody scored a criterion"
    assert told.recommended is not None
    assert all(row.pairs == SAMPLES - 10 for row in told.biases if row.feature == "length")


def test_one_criterion_alone_says_nothing_of_acceptance(judged: tuple[Store, Recipe], tmp_path: Path) -> None:
    entries = sheet(*judged, tmp_path / "sheet.jsonl")
    for entry in entries:
        entry |= {"labeller": "only-form", "scores": {"form": 9}}
    path = tmp_path / "form.jsonl"
    path.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in entries))
    told = measured(judged, path)
    assert [row.criterion for row in told.agreements] == ["form"]
    assert told.recommended is None
    assert told.curve[0].accepted == 0, "no sample whose acceptance people tell"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1 is not JSON"),
        ('{"scores": {}}', "sample_id"),
        ('{"sample_id": "00000000-0000-0000-0000-000000000000", "scores": {"form": 11}}', "form"),
        ('{"sample_id": "00000000-0000-0000-0000-000000000000", "scores": {"beauty": 3}}', "no criterion 'beauty'"),
        ('{"sample_id": "00000000-0000-0000-0000-000000000000", "mark": 3}', "mark"),
        ('{"sample_id": "00000000-0000-0000-0000-000000000000", "accept": true}', "1 samples that are not in"),
        ("", "at least 20 are needed"),
    ],
)
def test_what_is_no_label_is_told_with_its_line_and_nothing_is_kept(
    judged: tuple[Store, Recipe], tmp_path: Path, line: str, said: str
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(line)
    with pytest.raises(InputError, match=said):
        measured(judged, path)


def test_what_a_judge_may_be_partial_to_is_read_off_the_sample() -> None:
    row = sample()
    assert FEATURES["number of candidates"](row) == len(CANDIDATES)
    assert FEATURES["position of the chosen candidates"](row) == pytest.approx(0.5 / 4), (
        "the first and the second of five"
    )
    assert FEATURES["length"](row) == len(row["thinking"]) + len(row["plan"])
    unknown = sample(candidates=None, thinking=None)
    assert FEATURES["number of candidates"](unknown) is None
    assert FEATURES["position of the chosen candidates"](unknown) is None


def test_the_command_makes_a_sheet_and_tells_what_came_of_it(judged: tuple[Store, Recipe], cli: Cli) -> None:
    store, recipe = judged
    common = ("--recipe", recipe.origin, "--warehouse", store.path)
    assert f"wrote {SAMPLES} blank labels" in cli.ok("calibrate", "labels.jsonl", "--draw", 500, *common)
    entries = [json.loads(line) for line in (cli.folder / "labels.jsonl").read_text().splitlines()]
    filled(entries, cli.folder / "labels.jsonl", "cli")
    told = cli.ok("calibrate", "labels.jsonl", *common)
    for words in ("offline-rubric-1", "reasoning", "kappa", "recommended: accept = ", "length: "):
        assert words in told
    assert cli.json("calibrate", "labels.jsonl", *common)["samples"] == SAMPLES
