"""The two things that Claude writes: samples to order, and the reasoning of plans that have none."""

from functools import partial

from curation.claude.asking import Claude, Form, Patience
from curation.claude.errand import Errand
from curation.synthesis.ledger import record, row
from curation.synthesis.ordering import MAX_TOKENS, prompt, sent_schema, system_prompt
from curation.synthesis.writing import TOOLS, render_thinking

THINKING_MAX_TOKENS = 1_500  # eight long sentences are some 400


def order_form(backend: str, model: str) -> Form:
    """What every request for a sample has in common."""
    purpose = "Hands in the conversation, the thinking and the steps of the plan."
    return Form(backend, model, MAX_TOKENS, system_prompt(), sent_schema("reply"), TOOLS["reply"], purpose)


def thinking_form(backend: str, model: str) -> Form:
    """What every request for reasoning has in common; what is asked stands in the message."""
    purpose = "Hands in the reasoning."
    return Form(backend, model, THINKING_MAX_TOKENS, "", sent_schema("thinking"), TOOLS["thinking"], purpose)


def order_spec(form: Form) -> str:
    """Which replies count for an order; the rest of what it is asked stands in its message, and so in its subject."""
    return form.spec("order")


def thinking_spec(form: Form) -> str:
    """Which replies count for a sample: the message is made of the sample and this prompt."""
    return form.spec("thinking", prompt("thinking.md"))


def writing_errand(form: Form, workers: int, patience: Patience | None = None) -> Errand:
    """Samples to order, for `workers` at a time; rows have `subject`, `attempt`, `asked` and `message`.

    Raises InputError or ServiceError with one sentence where credentials are missing or refused.
    """
    kept = partial(record, task="order", form=form, spec=order_spec(form))
    return Errand(Claude(form, workers, patience), lambda order: order["message"], kept, row)


def thinking_errand(form: Form, secret: bytes, workers: int, patience: Patience | None = None) -> Errand:
    """The reasoning of samples, for `workers` at a time; rows are those of a sample frame with `subject` and `attempt`.

    `secret` is the key of the data's fences. Raises as `writing_errand` does.
    """
    kept = partial(record, task="thinking", form=form, spec=thinking_spec(form))
    return Errand(Claude(form, workers, patience), lambda sample: render_thinking(sample, secret), kept, row)
