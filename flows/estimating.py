"""What judging would cost, told before anybody is asked."""

from dataclasses import dataclass
from itertools import chain

from curation.claude.asking import Form
from curation.claude.prices import price, today
from curation.claude.reply import Usage
from curation.errors import InputError
from curation.judge.backend import form_of
from curation.judge.canaries import load_canaries
from curation.judge.message import render
from curation.recipe import Recipe
from curation.sample import dumps
from curation.stages import rubric_of, specification_of
from flows.judging import chosen_work, judged_otherwise, require_checked
from flows.keys import fence_secret
from flows.loading import batches
from warehouse import Store

BYTES = 3.5  # of a token: JSON and English mixed; prose alone has four
ANSWER = 700  # tokens of a usual reply, before there is one to go by: five criteria with two sentences each
CACHED_FROM = 4_096  # tokens of the part that is the same for every sample, below which Opus 4.6 caches nothing


@dataclass(frozen=True)
class Estimate:
    """What the next `curation judge` would ask for.

    `usd` is about what is usual, `most` what nothing can exceed; both None where the model has no price. `again` counts
    the samples that another specification has judged. `caching` is whether the fixed part is long enough to be cached.
    Tokens and prices are those of samples and `canaries` together.
    """

    samples: int
    canaries: int
    model: str
    spec: str
    input_tokens: int
    prefix_tokens: int
    output_tokens: int
    caching: bool
    usd: float | None
    most: float | None
    again: int


def estimate(store: Store, recipe: Recipe, limit: int | None, sampled: str, retry: bool) -> Estimate:
    """The tokens and the price of what waits for the judge; nothing is sent. Raises InputError as `judge` does."""
    require_checked(store, recipe)
    specification = specification_of(recipe)
    if specification.backend == "offline":
        raise InputError("the backend offline costs nothing and sends nothing; --dry-run is about the others")
    rubric, secret = rubric_of(recipe), fence_secret(store)
    work = chosen_work(store, recipe, specification, retry, limit, sampled)
    form = form_of(specification, rubric)
    canaries = [dict(canary.row) for canary in load_canaries()] if work.height else []
    asked = work.height + len(canaries)
    messages, most = 0, 0.0
    waiting = (row for batch in batches(store, work["sample_id"]) for row in batch.iter_rows(named=True))
    for row in chain(canaries, waiting):
        message = render(row, rubric, secret)
        messages += tokens(message)
        most += form.most(message) or 0.0
    prefix = prefix_tokens(form)
    usual = store.read("usual_answer", spec=specification.spec).item() or ANSWER
    answers = round(usual * asked)
    caching = prefix >= CACHED_FROM
    usage = usage_of(asked, messages, prefix, answers, caching)
    usd = price(specification.model, usage, today())
    return Estimate(
        samples=work.height,
        canaries=len(canaries),
        model=specification.model,
        spec=specification.spec,
        input_tokens=messages + prefix * asked,
        prefix_tokens=prefix,
        output_tokens=answers,
        caching=caching,
        usd=usd,
        most=None if usd is None else most,
        again=int(judged_otherwise(store, work, specification)["samples"].sum()),
    )


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return round(len(text.encode()) / BYTES)


def prefix_tokens(form: Form) -> int:
    """Tokens of what is the same for every sample."""
    return tokens(form.system) + tokens(dumps(form.schema))


def usage_of(requests: int, messages: int, prefix: int, answers: int, caching: bool) -> Usage:
    """What would be paid for: the fixed part is written to the cache once and read from it by all others, or sent anew."""
    if not requests:
        return Usage()
    if not caching:
        return Usage(fresh=messages + prefix * requests, output=answers)
    return Usage(fresh=messages, written=prefix, cached=prefix * (requests - 1), output=answers)
