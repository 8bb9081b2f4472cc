"""What can go wrong, sorted by who must act; every message names the thing, the value and the remedy."""


class CurationError(Exception):
    """Anything that ends a command with one sentence instead of a traceback."""

    exit_code = 1


class InputError(CurationError):
    """The person who typed the command must act: a path, an option or a file's content is wrong."""


class RecipeError(InputError):
    """The owner of the recipe must act: an unknown key, a wrong type, a value out of range."""


class FormatError(InputError):
    """One record cannot be read; the trace is kept with this sentence as its error."""


class ServiceError(CurationError):
    """The owner of an outside service must act: Claude or the Hub refused or could not be reached.

    `again` says whether the same may yet succeed without anybody's help: an outage passes, a refused token does not.
    """

    def __init__(self, sentence: str, again: bool = True) -> None:
        super().__init__(sentence)
        self.again = again


class TargetError(InputError):
    """The owner of the release target must act: it exists with other content, or cannot be written."""


class MachineError(CurationError):
    """The owner of the machine must act: no GPU, too little memory, a full disk."""


class Stopped(CurationError):  # noqa: N818 - not an error: what was asked for is safe
    """Stopped on purpose with nothing lost: another judge runs, a guard holds, a budget is spent."""

    exit_code = 3
