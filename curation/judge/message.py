"""What the judge is shown of a sample: its data between fences that the data cannot guess."""

from string import Template
from typing import Any

from curation.claude.fence import fence_key
from curation.judge.rubric import Rubric


def render(sample: dict[str, Any], rubric: Rubric, secret: bytes) -> str:
    """The user message for one row of a sample frame: a function of the sample, the rubric and the secret alone.

    Nothing that a stage found is in it, nor where the sample came from: a changed check must not cost a request.
    """
    blocks = {
        "conversation": sample["messages"],
        "candidates": sample["candidates"],
        "reasoning": sample["thinking"],
        "plan": sample["plan"],
    }
    shown = {name: rubric.absent if text is None else text for name, text in blocks.items()}
    key = fence_key(secret, sample["sample_id"], "\n".join(shown.values()))
    return Template(rubric.user).substitute(shown, key=key, names=", ".join(rubric.criteria))
