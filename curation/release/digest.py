"""A digest of a release's rows: a sample's id is a hash of what it says, so it is of ids and of how samples are laid out."""

import hashlib
from functools import cache
from importlib.resources import files

import orjson
import polars as pl

LAYOUT = "1"  # raised with every change of what a sample becomes in any configuration; a test holds it to that
COLUMNS = ("sample_id", "source", "category", "n_steps", "overall")  # what a row tells beside the content, and its id


def digest_of(samples: pl.DataFrame, candidates_per_prompt: int | None) -> str:
    """Equal for two sets of samples, in order, that become the same rows; 64 hexadecimal digits. No writer's version changes it."""
    told = hashlib.sha256(f"{LAYOUT} {prompts()} {candidates_per_prompt}\n".encode())
    told.update(orjson.dumps(samples.select(COLUMNS).rows()))
    return told.hexdigest()


@cache
def prompts() -> str:
    """A hash of the texts that every prompt is made of."""
    folder = files("curation") / "prompts"
    texts = sorted((file.name, file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".md"))
    return hashlib.sha256(repr(texts).encode()).hexdigest()
