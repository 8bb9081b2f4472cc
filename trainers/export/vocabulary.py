"""A tokenizer.json as GGUF keeps it: its pieces, its merges, and the name by which llama.cpp knows its way of splitting.

A byte-level tokenizer is llama.cpp's `gpt2`, whatever the family of the model; Gemma's own (spaces written as ▁, unknown
bytes spelt out) is its `gemma4`. Of any other tokenizer llama.cpp would make other pieces, so it is refused.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from curation.errors import InputError
from trainers.families import WORDS

Json = dict[str, Any]

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
# Marks that answers are parsed by: llama.cpp must print them, which it does only of pieces that "a user defined".
PRINTED = (
    *WORDS, "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
    "<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>',
)  # fmt: skip
ENDS = ("eos", "eot", "eom")  # the keys under which GGUF has room for pieces that end an answer
SPECIAL = ("bos", "unk", "pad")


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF file says of its tokenizer. `kinds` are GGUF's numbers of token types, one a piece."""

    model: str  # gpt2 or gemma4
    pre: str
    pieces: list[str]
    kinds: list[int]
    merges: list[str]
    adds_bos: bool
    ids: dict[str, int] = field(default_factory=dict)  # bos, eos, eot, eom, unk, pad: where there are such
    template: str | None = None


def read_vocabulary(folder: Path, rows: int, ends: list[int]) -> Vocabulary:
    """The vocabulary of a model folder whose embedding has so many `rows`, and whose answers end at one of `ends`."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise InputError(f"{folder} has no tokenizer.json; save the tokenizer beside the model (save_pretrained)")
    told = orjson.loads(file.read_bytes())
    if told["model"].get("type") != "BPE":
        raise InputError(f"{file} is a {told['model'].get('type')} tokenizer; only BPE ones can be written as GGUF")
    model, pre = splitting(told, file)
    pieces, kinds = listed(told, rows, file)
    settings = folder / "tokenizer_config.json"
    config = orjson.loads(settings.read_bytes()) if settings.is_file() else {}
    ids = special_ids(config, {piece: i for i, piece in enumerate(pieces)}, ends)
    starts = first_piece(told.get("post_processor")) in {content(config.get("bos_token")), None} - {None}
    return Vocabulary(
        model, pre, pieces, kinds, merges(told), starts or model == "gemma4", ids, template_of(folder, config)
    )


def splitting(told: Json, file: Path) -> tuple[str, str]:
    """(model, pre): how llama.cpp comes to the same pieces; InputError where it cannot."""
    if told["model"].get("ignore_merges"):
        raise InputError(f"{file} ignores its merges for whole words, which GGUF cannot say for this kind of tokenizer")
    if told["model"].get("byte_fallback"):
        replaced = [step for step in steps(told.get("normalizer"), "normalizers") if step["type"] == "Replace"]
        if [(step["pattern"], step["content"]) for step in replaced] == [({"String": " "}, "▁")]:
            return "gemma4", "gemma4"
        raise InputError(f"{file} spells out unknown bytes but does not write spaces as ▁, as Gemma's tokenizer does")
    cuts = tuple(cut(step) for step in steps(told.get("pre_tokenizer"), "pretokenizers"))
    if cuts not in known():
        raise InputError(
            f"{file} cuts text in a way that llama.cpp has no name for ({', '.join(cuts) or 'nowhere'}); "
            f"those that can be written are {', '.join(known().values())} (vocabularies.toml) and Gemma's own"
        )
    return "gpt2", known()[cuts]


def cut(step: Json) -> str:
    """One step of cutting text, as vocabularies.toml writes it."""
    if step["type"] == "Split" and step.get("behavior") == "Isolated" and not step.get("invert"):
        return str(step["pattern"].get("Regex"))
    if step["type"] == "Digits" and step.get("individual_digits"):
        return "each digit"
    if step["type"] == "ByteLevel" and not step.get("add_prefix_space"):
        return "words" if step.get("use_regex", True) else "bytes"
    return f"another {step['type']}"


@cache
def known() -> dict[tuple[str, ...], str]:
    """llama.cpp's name of each way of cutting."""
    text = (files("trainers.export") / "vocabularies.toml").read_text(encoding="utf-8")
    return {tuple(way["cuts"]): way["pre"] for way in tomllib.loads(text)["way"]}


def steps(part: Json | None, key: str) -> list[Json]:
    """The steps of a part of a tokenizer.json: of a sequence its members, else the part itself."""
    if part is None:
        return []
    found: list[Json] = part[key] if part["type"] == "Sequence" else [part]
    return found


def listed(told: Json, rows: int, file: Path) -> tuple[list[str], list[int]]:
    """Every piece by its id, and its kind; rows of the embedding that no piece uses are named and marked unused."""
    from gguf import TokenType

    normal = {i: piece for piece, i in told["model"]["vocab"].items()}
    added = {token["id"]: token for token in told.get("added_tokens", ())}
    largest = max((*normal, *added), default=-1)
    if largest >= rows:
        raise InputError(
            f"{file} numbers pieces up to {largest}, and the model's embedding has only {rows} rows; "
            "the tokenizer belongs to another model"
        )
    pieces, kinds = [], []
    for i in range(rows):
        piece, kind = normal.get(i), TokenType.NORMAL
        if i in added:
            piece, printed = added[i]["content"], added[i]["content"] in PRINTED
            kind = TokenType.CONTROL if added[i]["special"] and not printed else TokenType.USER_DEFINED
        elif piece is None:
            piece, kind = f"[PAD{i}]", TokenType.UNUSED
        elif told["model"].get("byte_fallback") and BYTE.fullmatch(piece):
            kind = TokenType.BYTE
        pieces.append(piece)
        kinds.append(int(kind))
    return pieces, kinds


def merges(told: Json) -> list[str]:
    """The merges, each as its two parts with a space between; none of ours hold a space themselves."""
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in told["model"]["merges"]]


def special_ids(config: Json, numbers: dict[str, int], ends: list[int]) -> dict[str, int]:
    """The ids of special pieces; the tokenizer's own end comes first, then the model's others while there is room."""
    found = {name: numbers.get(content(config.get(f"{name}_token")) or "") for name in (*SPECIAL, "eos")}
    ordered = dict.fromkeys(([found["eos"]] if found["eos"] is not None else []) + ends)
    found |= dict(zip(ENDS, ordered, strict=False))
    return {name: number for name, number in found.items() if number is not None}


def content(token: Any) -> str | None:
    """A special token's text: the file has either the text or an object around it."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else None


def first_piece(processor: Json | None) -> str | None:
    """The special piece that the tokenizer itself puts before a text; None for none."""
    for step in steps(processor, "processors"):
        if step["type"] == "TemplateProcessing" and step["single"] and "SpecialToken" in step["single"][0]:
            return str(step["single"][0]["SpecialToken"]["id"])
    return None


def template_of(folder: Path, config: Json) -> str | None:
    """The chat template, from its own file or from the tokenizer's settings."""
    file = folder / "chat_template.jinja"
    found = file.read_text(encoding="utf-8") if file.is_file() else config.get("chat_template")
    return found if isinstance(found, str) else None
