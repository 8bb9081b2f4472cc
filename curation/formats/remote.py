"""Files behind URLs: data sets of the Hugging Face Hub, and every store that fsspec can reach."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import has_magic
from itertools import takewhile
from typing import Any, BinaryIO, cast

from curation.errors import InputError

# What an fsspec file system may say that changes when a file does, the surest first.
MARKS = (
    "ETag",
    "etag",
    "blob_id",
    "generation",
    "md5",
    "crc32c",
    "mtime",
    "LastModified",
    "last_modified",
    "updated",
    "created",
)

EXTRAS = {"s3": "pip install 'curation[s3]'", "s3a": "pip install 'curation[s3]'"}
SHOWN = 200  # characters of a store's own words


def find_urls(url: str, wanted: Callable[[str], bool]) -> tuple[list[str], bool]:
    """(the URLs of the files that `url` names, whether it names a single file).

    A folder is walked for files that are `wanted` by their name; hidden ones are left out. `*` and `**` match as in
    paths. Raises InputError where nothing is found, or the store cannot be reached.
    """
    system, path = _system(url)
    with _explained(url):
        system.invalidate_cache()
        if has_magic(path) and not system.exists(path):
            found = sorted(name for name in system.glob(path) if system.isfile(name))
            if not found:
                raise InputError(_nothing_matches(system, url, path))
            return [system.unstrip_protocol(name) for name in found], False
        if system.isfile(path):
            return [url], True
        inside = {name: name.removeprefix(path).split("/") for name in system.find(path)}
    shown = [name for name, parts in inside.items() if wanted(name) and not any(p.startswith(".") for p in parts)]
    if not inside:
        raise InputError(f"there is no file or folder {url}; check the URL")
    if not shown:
        raise InputError(f"{url} holds no file of traces; files there: {len(inside)}")
    return [system.unstrip_protocol(name) for name in sorted(shown)], False


def _nothing_matches(system: Any, url: str, pattern: str) -> str:
    """Why a pattern names nothing: the bucket or folder that it begins with is not there, or holds no such file."""
    fixed = "".join(takewhile(lambda letter: not has_magic(letter), pattern)).rpartition("/")[0]
    if fixed and not system.exists(fixed):
        return f"there is no bucket or folder {system.unstrip_protocol(fixed)} for {url}; check the URL"
    return f"no file matches {url}; check the pattern"


def open_url(url: str) -> BinaryIO:
    """The file's bytes, fetched as they are read. Raises InputError where it cannot be opened."""
    system, path = _system(url)
    with _explained(url):
        return cast(BinaryIO, system.open(path, "rb"))


def state_of_url(url: str) -> tuple[int, str | None]:
    """(size in bytes, a word that changes with the file or None where its store has no such thing)."""
    system, path = _system(url)
    with _explained(url):
        info: dict[str, Any] = system.info(path)
    mark = next((str(info[key]) for key in MARKS if info.get(key) is not None), None)
    return int(info.get("size") or 0), mark


def explain(url: str, error: Exception) -> InputError:
    """What a store raised (each has errors of its own) as one sentence."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file or folder {url}; check the URL, and that you may read it")
    if isinstance(error, PermissionError):
        return InputError(f"{url} may not be read ({_first_line(error)}); check the credentials")
    return InputError(f"cannot read {url}: {_first_line(error)}; check the URL, the credentials and the network")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise explain(url, error) from None


def _system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path within it."""
    import fsspec

    protocol = url.split("://", 1)[0]
    if protocol == "hf" and not url.startswith("hf://datasets/"):
        raise InputError(f"{url} is no data set of the Hub; write hf://datasets/owner/name, then @revision or /path")
    if protocol not in fsspec.available_protocols():
        raise InputError(
            f"nothing reads {protocol}:// ({url}); give a path, hf://datasets/…, s3://… or another store that fsspec knows"
        )
    try:
        return cast(tuple[Any, str], fsspec.core.url_to_fs(url))
    except ImportError as error:
        remedy = EXTRAS.get(protocol, _first_line(error))
        raise InputError(f"{url} cannot be read without another package: {remedy}") from None
    except Exception as error:
        raise explain(url, error) from None


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:SHOWN]
