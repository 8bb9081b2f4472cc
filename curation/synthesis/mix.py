"""The mix says which share of the requests is of which category."""

from collections.abc import Iterator, Mapping

from curation.errors import InputError

STEPS = {"1_step": (1, 1), "2_step": (2, 2), "3_step": (3, 3), "4_step": (4, 4), "multi_turn": (1, 3)}
CATEGORIES = tuple(STEPS)
DEFAULT: Mapping[str, float] = {"1_step": 0.35, "2_step": 0.25, "3_step": 0.15, "4_step": 0.10, "multi_turn": 0.15}


def parse_mix(text: str) -> dict[str, float]:
    """`1_step=0.5,multi_turn=0.5` as category -> share, the shares made to add up to 1.

    Raises InputError for a category that does not exist or comes twice, and for a share that is no number above 0.
    """
    mix: dict[str, float] = {}
    for part in text.split(","):
        name, equals, share = (piece.strip() for piece in part.partition("="))
        if name not in CATEGORIES or not equals:
            raise InputError(f"mix: {part.strip()!r} is not category=share; the categories are {', '.join(CATEGORIES)}")
        if name in mix:
            raise InputError(f"mix: {name} is there twice; give each category one share")
        try:
            mix[name] = float(share)
        except ValueError:
            raise InputError(f"mix: the share of {name} is {share!r}, not a number such as 0.25") from None
        if not 0 < mix[name] < float("inf"):
            raise InputError(
                f"mix: the share of {name} is {share}, and must be above 0; leave the category out for none"
            )
    return scaled(mix)


def scaled(mix: Mapping[str, float]) -> dict[str, float]:
    """The shares with their order of CATEGORIES and a sum of 1."""
    whole = sum(mix.values())
    return {name: mix[name] / whole for name in CATEGORIES if mix.get(name)}


def categories(mix: Mapping[str, float], count: int) -> Iterator[str]:
    """The category of each of `count` requests: at every point the one that is most behind its share."""
    made = dict.fromkeys(mix, 0)
    for i in range(1, count + 1):
        name = max(mix, key=lambda category: mix[category] * i - made[category])
        made[name] += 1
        yield name


def require_enough(tools: int, mix: Mapping[str, float]) -> None:
    """Raises InputError where a registry of so many usable plugins has fewer than a plan of the mix needs."""
    greedy = max(mix, key=lambda name: STEPS[name][1])
    needed = STEPS[greedy][1]
    if tools < needed:
        raise InputError(
            f"the registry has {tools} plugins that a request can fill, and {greedy} needs {needed}: "
            "import more plugins, or leave that category out of the mix"
        )
