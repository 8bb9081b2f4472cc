"""Requests with plans that nobody ever asked: made from a plugin registry, by rules or by Claude."""

from curation.synthesis.catalogue import Catalogue
from curation.synthesis.mix import CATEGORIES, DEFAULT, parse_mix
from curation.synthesis.offline import synthesize
from curation.synthesis.ordering import STYLES, Order, orders, render_prompt, sent_schema, system_prompt
from curation.synthesis.selfcheck import row_faults
from curation.synthesis.writing import Thought, Written, parse, parse_thinking, render_thinking

__all__ = [
    "CATEGORIES",
    "DEFAULT",
    "STYLES",
    "Catalogue",
    "Order",
    "Thought",
    "Written",
    "orders",
    "parse",
    "parse_mix",
    "parse_thinking",
    "render_prompt",
    "render_thinking",
    "row_faults",
    "sent_schema",
    "synthesize",
    "system_prompt",
]
