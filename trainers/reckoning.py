"""Counts, for a dry run, the tokens that a release will take, without torch: exactly where a tokenizer is at hand."""

from pathlib import Path
from typing import Any

from curation.errors import InputError
from trainers.estimate import Estimate, Gpu, estimate, size_of, size_of_folder
from trainers.families import FAMILIES
from trainers.models import bare_tokenizer, require_family
from trainers.prepare import Prepared, pack, prepare
from trainers.presets import Preset
from trainers.prompts import completion_text, foreign_token, prompt_messages, prompt_text
from trainers.release import Release

CHARACTERS = (
    3.2  # of a token, where there is no tokenizer: JSON and English of the bundled traces, in large vocabularies
)


def reckon(release: Release, preset: Preset, gpu: Gpu | None) -> Estimate:
    """What training would take. Loads no model; tokens are reckoned from characters where no tokenizer is here."""
    rows = release.rows("sft", "train")
    what = f"the split train of {release.name} {release.version}"
    tokenizer = _tokenizer(release, preset)
    if tokenizer is not None:
        made = prepare(rows, tokenizer, preset, what)
        counted = len(made.rows), made.left_out.total(), len(made.sequences), made.tokens
    else:
        counted = _from_characters(rows, preset, what)
    vocabulary = tokenizer.get_vocab_size() if tokenizer is not None else None
    folder = Path(preset.model)
    size = size_of_folder(folder, preset) if folder.is_dir() else size_of(preset.model, preset, vocabulary)
    return estimate(size, preset, counted, tokenizer is not None, gpu)


def _tokenizer(release: Release, preset: Preset) -> Any:
    """The tokenizer of the model's folder, or the one that will be trained; None where the model is elsewhere."""
    if preset.model == "random":
        rows = release.rows("sft", "train")
        texts = (message["content"] for row in rows for message in (*row["prompt"], *row["completion"]))
        return bare_tokenizer(texts, FAMILIES[preset.family], preset.random)
    folder = Path(preset.model)
    if not folder.is_dir():
        return None
    require_family(folder, preset)
    if not (folder / "tokenizer.json").is_file():
        raise InputError(f"the model folder {folder} has no tokenizer (tokenizer.json); save it there with the weights")
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _from_characters(rows: Any, preset: Preset, what: str) -> tuple[int, int, int, int]:
    """(rows, rows left out, sequences, tokens), about."""
    made = Prepared(preset.sft.max_length)
    lengths = []
    for row in rows:
        if foreign_token(row, FAMILIES[preset.family]) is not None:
            continue
        prompt = prompt_text(prompt_messages(row, preset), preset.family, preset.thinking)
        answer = completion_text(row["completion"][-1]["content"], preset.family, preset.thinking)
        length = round(len(prompt + answer) / CHARACTERS)
        if length <= made.max_length:
            lengths.append(length)
    if not lengths:
        raise InputError(
            f"all rows of {what} seem longer than max_length {made.max_length}; set sft.max_length higher with --set"
        )
    sequences = len(pack(lengths, made.max_length)) if preset.sft.pack else len(lengths)
    return len(lengths), len(rows) - len(lengths), sequences, sum(lengths)
