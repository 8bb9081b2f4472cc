"""A budget is a hard stop: it counts what was paid, and the most that what is in flight can still cost."""

import math
from dataclasses import dataclass

from curation.claude.prices import price_file, rates, today
from curation.errors import InputError

CENT = 1e-9  # dollars: what sums of floating-point numbers may be off


@dataclass
class Budget:
    """US dollars that one run may spend; `limit` is infinite where nobody set one.

    `spent` holds `unseen`: requests that were sent and got no reply, for which the service may charge all the same.
    """

    limit: float = math.inf
    spent: float = 0.0
    unseen: float = 0.0
    reserved: float = 0.0

    @property
    def left(self) -> float:
        """What is neither spent nor reserved."""
        return max(0.0, self.limit - self.spent - self.reserved)

    def reserve(self, most: float) -> bool:
        """Sets the most that a request can cost aside, if that much is left."""
        if self.spent + self.reserved + most > self.limit + CENT:
            return False
        self.reserved += most
        return True

    def settle(self, most: float, paid: float) -> None:
        """Takes back what was set aside for a request, and counts what it cost."""
        self.reserved -= most
        self.spent += paid

    def again(self, most: float) -> bool:
        """A request got no reply and may be charged: it counts whole. Whether as much is left to ask once more."""
        self.spent += most
        self.unseen += most
        return self.spent + self.reserved <= self.limit + CENT

    def used_up(self, waiting: int, what: str) -> str:
        """The sentence for a run that the budget ended while so many were `waiting`."""
        lost = f" (${self.unseen:,.2f} of it for requests without a reply)" if self.unseen else ""
        return (
            f"the budget of ${self.limit:,.2f} is used up: this run spent ${self.spent:,.2f}{lost}, and the "
            f"${self.left:,.2f} left may not pay for the next request; {waiting:,} {what} remain: every reply is kept, "
            "and the same command goes on from here with a budget of its own"
        )


def budget_of(usd: float | None, model: str) -> Budget:
    """A budget of so many dollars, or one without a limit for None.

    Raises InputError where the model has no price: what is not counted cannot be limited.
    """
    if usd is None:
        return Budget()
    if not (usd > 0 and math.isfinite(usd)):
        raise InputError(f"a budget of {usd} dollars is none; give a number above 0, or leave it out")
    if rates(model, today()) is None:
        raise InputError(
            f"no price is known for the model {model}, so no budget can be kept for it: add its price to {price_file()}, "
            "or leave the budget out"
        )
    return Budget(usd)
