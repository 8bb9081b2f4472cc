"""Conversations of the public sets, written the way each platform exports them."""

from collections.abc import Callable, Iterable

from curation.formats.reading import Record
from tests.formats.exports import anthropic, langfuse, langsmith, openai, openinference, otlp
from tests.formats.exports.conversations import Conversation

# A format's export: all records of all conversations, in the order in which such a file has them.
EXPORTS: dict[str, Callable[[list[Conversation]], Iterable[Record]]] = {
    "openai": openai.export,
    "anthropic": anthropic.export,
    "langfuse": langfuse.export,
    "otlp": otlp.export,
    "langsmith": langsmith.export,
    "openinference": openinference.export,
}
