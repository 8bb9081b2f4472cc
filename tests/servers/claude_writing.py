"""What the service writes when it is asked for a sample, reasoning or a trial: something right, made of the message."""

import hashlib
import json
import re
from typing import Any

from curation.synthesis import Catalogue
from curation.synthesis.dice import Dice
from curation.synthesis.mix import CATEGORIES
from curation.synthesis.offline import draw
from curation.synthesis.ordering import prompt
from tests.servers.claude_protocol import Body

CANDIDATES = re.compile(r"\AThese are the candidates:\n\n(.*?)\n\nWrite one sample\.\n", re.DOTALL)
SETTING = re.compile(r"^- (\S+): one of (.*)$", re.MULTILINE)
TRIAL = re.compile(r"^Propose trial (\d+) of", re.MULTILINE)
PLAN = re.compile(r"^<<<(\w+) plan\n(.*?)\n\1>>>$", re.DOTALL | re.MULTILINE)


def sample(message: str) -> Body:
    """A sample over the candidates in an order's message, of the category that it asks for; the same for the same order."""
    found = CANDIDATES.match(message)
    if not found:
        raise ValueError("the message shows no candidates")
    asked = next(name for name in CATEGORIES if prompt(f"categories/{name}.md") in message)
    seed = hashlib.sha256(message.encode()).hexdigest()
    trace, _ = draw(Catalogue.of(json.loads(found[1])), asked, Dice(seed))
    *turns, answer = trace["messages"]
    thinking, _, plan = answer["content"].removeprefix("<think>").partition("</think>\n")
    steps = [
        {
            "pluginId": step["pluginId"],
            "parameters": json.dumps(step["api_request_parameters"]),
            "dependencies": step["dependencies"],
        }
        for step in json.loads(plan)["plugins"]
    ]
    return {"turns": turns, "thinking": thinking, "steps": steps}


def faulty(message: str) -> Body:
    """The same with a plan that no row stage lets pass: it calls what was not offered."""
    made = sample(message)
    made["steps"][0]["pluginId"] = "plugin-nobody-offered"
    return made


def unfit(message: str) -> Body:
    """The same with more steps than any category has."""
    made = sample(message)
    made["steps"] = made["steps"][:1] * 5
    return made


def thinking(message: str) -> Body:
    """The reasoning behind the plan in the message."""
    found = PLAN.search(message)
    if not found:
        raise ValueError("the message shows no plan")
    called = [step.get("pluginId") for step in json.loads(found[2])["plugins"]]
    return {
        "thinking": f"The user's wish is served by {', then by '.join(map(str, called))}, with the values they name."
    }


def secretive(message: str) -> Body:
    """The same with a credential in it."""
    return {"thinking": f"{thinking(message)['thinking']} The key is {'AKIA' + 'Q7XW2MNB4KD9PLRT'}."}


def proposal(message: str) -> Body:
    """A change of the first setting with a choice: to the value whose turn it is, trial after trial."""
    found, number = SETTING.search(message), TRIAL.search(message)
    if not found or not number:
        raise ValueError("the message shows no setting with a choice, or no number of a trial")
    values = found[2].split(", ")
    value = values[(int(number[1]) - 1) % len(values)]
    return {"hypothesis": f"{found[1]} may matter.", "changes": [{"key": found[1], "value": value}]}


def written(schema: Body, message: str) -> dict[str, Any]:
    """The answer of the form that is asked for."""
    if "changes" in schema["properties"]:
        return proposal(message)
    return sample(message) if "turns" in schema["properties"] else thinking(message)
