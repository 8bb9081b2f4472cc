"""Answers that are no JSON, no plan, or come without thinking."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpus.bases import Base
from tests.corpus.planting import PARAMETERS, expecting

Json = Any
NOT_JSON = ("schema.not_json", "")


def python_text(text: str) -> str:
    """A plan as Python prints it."""
    return str(json.loads(text))


BROKEN: dict[str, Callable[[str], str]] = {
    "fence": lambda t: f"```json\n{t}\n```",
    "bare fence": lambda t: f"```\n{t}\n```",
    "fence, not closed": lambda t: f"```json\n{t}",
    "tildes": lambda t: f"~~~\n{t}\n~~~",
    "prose before": lambda t: f"Here is the plan:\n{t}",
    "prose after": lambda t: f"{t}\n\nLet me know if that helps!",
    "prose around": lambda t: f"Sure!\n{t}\nDone.",
    "one word before": lambda t: f"json {t}",
    "label": lambda t: f"Answer: {t}",
    "two objects": lambda t: f"{t}\n{t}",
    "two objects in a row": lambda t: f"{t}{t}",
    "two objects, comma": lambda t: f"{t}, {t}",
    "an empty object after": lambda t: t + "{}",
    "single quotes": python_text,
    "smart quotes": lambda t: t.replace('"', "”"),
    "no quotes at keys": lambda t: t.replace('"plugins"', "plugins", 1),
    "trailing comma": lambda t: t[:-1] + ",}",
    "comma in the list": lambda t: t[:-2] + ",]}",
    "missing brace": lambda t: t[:-1],
    "missing two": lambda t: t[:-2],
    "surplus brace": lambda t: t + "}",
    "half": lambda t: t[: len(t) // 2],
    "a tenth": lambda t: t[: max(2, len(t) // 10)],
    "nearly whole": lambda t: t[: len(t) * 9 // 10],
    "first brace": lambda t: "{",
    "ellipsis": lambda t: t[: len(t) // 2] + "...",
    "comment": lambda t: t.replace("{", "{ // the plan\n", 1),
    "block comment": lambda t: t.replace("{", "{/* plan */", 1),
    "hash comment": lambda t: "# plan\n" + t,
    "NaN": lambda t: t.replace('"dependencies":', '"score":NaN,"dependencies":', 1),
    "Infinity": lambda t: t.replace('"dependencies":', '"score":-Infinity,"dependencies":', 1),
    "True": lambda t: t.replace(":true", ":True", 1),
    "None": lambda t: t.replace('"dependencies":', '"name2":None,"dependencies":', 1),
    "refusal": lambda t: "I'm sorry, but I can't help with that.",
    "question": lambda t: "Which city do you mean?",
    "xml": lambda t: f"<tool_call>{t}</tool_call>",
    "tag before": lambda t: f"<answer>\n{t}",
    "closing tag after": lambda t: f"{t}</s>",
    "second think block": lambda t: f"<think>Wait, let me check again.</think>\n{t}",
    "three think blocks": lambda t: f"<think>a</think><think>b</think>{t}",
    "think block after": lambda t: f"{t}\n<think>Was that right?</think>",
    "stray closing tag": lambda t: f"</think>\n{t}",
    "yaml": lambda t: "plugins:\n  - pluginId: plugin-1\n    dependencies: []",
    "escaped whole": lambda t: t.replace('"', '\\"'),
    "html escapes": lambda t: t.replace('"', "&quot;"),
    "raw newline in a string": lambda t: t.replace('"plugins"', '"plug\nins"', 1),
    "control character": lambda t: t.replace('"plugins"', '"plugins\u0001"', 1),
    "bad escape": lambda t: t.replace('"plugins"', '"plugins\\x"', 1),
    "colon missing": lambda t: t.replace('"plugins":', '"plugins"', 1),
    "comma missing": lambda t: t.replace('","', '" "', 1),
    "semicolon": lambda t: t + ";",
    "assignment": lambda t: f"plan = {t}",
    "function call": lambda t: f"run({t})",
    "python calls": lambda t: '[search(query="x")]',
    "nothing": lambda t: "",
    "blanks": lambda t: " \n ",
    "leading zero": lambda t: t.replace('"dependencies":', '"n":007,"dependencies":', 1),
    "hexadecimal": lambda t: t.replace('"dependencies":', '"n":0x1F,"dependencies":', 1),
    "bold": lambda t: f"**{t}**",
    "log line": lambda t: f"2026-01-01 12:00:00 INFO {t}",
}


def not_json(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """Every way of being no JSON."""
    text = base.plan_text()
    for name, change in BROKEN.items():
        planted = base.copy()
        planted.answer = change(text)
        yield name, expecting(planted, NOT_JSON)


def invalid(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """JSON of another shape: the whole, and each key of a step."""
    steps = base.steps
    whole: dict[str, tuple[Json, str]] = {
        "a list": (steps, ""),
        "null": (None, ""),
        "a number": (3, ""),
        "true": (True, ""),
        "plan as text": (base.plan_text(), ""),
        "no plugins": ({"steps": steps}, "/plugins"),
        "singular": ({"plugin": steps}, "/plugins"),
        "capital": ({"Plugins": steps}, "/plugins"),
        "empty object": ({}, "/plugins"),
        "an object of steps": ({"plugins": {"0": steps[0]}}, "/plugins"),
        "one step alone": ({"plugins": steps[0]}, "/plugins"),
        "steps as text": ({"plugins": json.dumps(steps)}, "/plugins"),
        "plugins null": ({"plugins": None}, "/plugins"),
        "empty plan": ({"plugins": []}, "/plugins"),
        "a key beside": ({"plugins": steps, "explanation": "because"}, "/explanation"),
        "wrapped": ({"plan": {"plugins": steps}}, "/plugins"),
        "a step is text": ({"plugins": [*steps, "then mail it"]}, f"/plugins/{len(steps)}"),
        "a step is null": ({"plugins": [*steps, None]}, f"/plugins/{len(steps)}"),
        "a step is a list": ({"plugins": [*steps, []]}, f"/plugins/{len(steps)}"),
        "a nested list": ({"plugins": [steps]}, "/plugins/0"),
    }
    for name, (document, at) in whole.items():
        planted = base.copy()
        planted.answer = json.dumps(document, ensure_ascii=False)
        yield name, expecting(planted, ("schema.invalid", at))
    yield from bad_steps(base, rng)


def bad_steps(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """One step of which one key is missing or of the wrong type."""
    i = rng.randrange(len(base.steps))
    wrong: dict[str, tuple[Json, ...]] = {
        "pluginId": (7, None, True, ["plugin-1"], {"id": "x"}, "", "  "),
        PARAMETERS: ("city=Oslo", '{"city": "Oslo"}', [], ["Oslo"], None, 5, True),
        "dependencies": ("plugin-1", None, {}, {"plugin-1": True}, 0, False, ""),
        "name": (5, ["n"], {}, True),
        "description": (1, ["d"]),
        "identifier": (2, {}),
        "method": (3, ["GET"]),
    }
    for key, values in wrong.items():
        for value in values:
            planted = base.copy()
            planted.steps[i][key] = value
            yield f"{key} is {value!r}", expecting(planted, ("schema.invalid", f"/plugins/{i}/{key}"))
    for value in (1, None, True, ["x"], {}):
        planted = base.copy()
        planted.steps[i]["dependencies"] = [value]
        yield f"a dependency is {value!r}", expecting(planted, ("schema.invalid", f"/plugins/{i}/dependencies/0"))
    for key in ("pluginId", PARAMETERS, "dependencies"):
        planted = base.copy()
        del planted.steps[i][key]
        yield f"no {key}", expecting(planted, ("schema.invalid", f"/plugins/{i}/{key}"))
        if key != "pluginId":
            planted = base.copy()
            planted.steps[i][key.upper()] = planted.steps[i].pop(key)
            yield f"{key} in capitals", expecting(planted, ("schema.invalid", f"/plugins/{i}/{key}"))


UNTHINKING = {
    "none": "", "a blank line": "\n\n", "unclosed": "<think>I should look this up first.\n",
    "unclosed twice": "<think>One. <think>Two.\n", "wrong close": "<think>So.<think>\n", "unclosed, empty": "<think>\n",
    "unclosed with a brace": "<think>The plan {\"plugins\": is what is wanted.\n", "unclosed with blanks": "  <think> Well.\n\n",
}  # fmt: skip
# Other tags are text around the object too, so that the answer is not JSON besides.
OTHER_TAGS = {
    "thinking": "<thinking>So it is.</thinking>\n", "bracket": "[think]So it is.[/think]\n", "prose": "I will look it up.\n",
    "only closed": "So it is.</think>\n", "capital": "<THINK>So it is.</THINK>\n", "heading": "## Thinking\nSo it is.\n\n",
    "reasoning": "<reasoning>So it is.</reasoning>\n", "comment": "<!-- So it is. -->\n",
}  # fmt: skip
EMPTY = (
    "",
    " ",
    "\n",
    "\n\n\n",
    "\t",
    " \n ",
    "\u00a0",
    "\u200b",
    "\u3000",
    "\r\n",
    "\ufeff",
    "\u2003\n",
    ".",
    "...",
    "…",
    "-",
)


def unthinking(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """No closed trace before the plan."""
    for name, prefix in UNTHINKING.items():
        planted = base.copy()
        planted.prefix = prefix
        yield name, expecting(planted, ("thinking.missing", "/thinking"))
    for name, prefix in OTHER_TAGS.items():
        planted = base.copy()
        planted.prefix = prefix
        yield name, expecting(planted, ("thinking.missing", "/thinking"), NOT_JSON)


def empty_thinking(base: Base, rng: random.Random) -> Iterator[tuple[str, Base]]:
    """A trace without a word."""
    for text in EMPTY:
        planted = base.copy()
        planted.thinking = text
        yield repr(text), expecting(planted, ("thinking.empty", "/thinking"))
