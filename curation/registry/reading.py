"""Reads plugins from whatever describes them: OpenAPI documents, MCP tool listings, registries of candidate objects."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from curation.errors import FormatError, InputError
from curation.formats.strict import parse_value
from curation.registry.documents import parsed
from curation.registry.imported import Imported, Note, Plugin, Refusal
from curation.registry.listings import candidate, mcp_plugins, tools_of
from curation.registry.openapi import is_openapi, plugins_of

__all__ = ["Imported", "Note", "Plugin", "Refusal", "read_plugins"]

SUFFIXES = (".json", ".jsonl", ".yaml", ".yml")
KNOWN = "an OpenAPI document (`openapi` or `swagger`), an MCP tools/list result (`tools`), or candidates (`pluginId`)"


def read_plugins(path: str | Path, known: dict[str, Plugin] | None = None) -> Imported:
    """The plugins of a file, or of every file in a folder whose name ends in one of SUFFIXES.

    Ids are unique in the result: the same plugin twice is one, another plugin under a known id is a refusal. `known`
    holds those of files that were read before, by their id, and takes these in. Raises InputError where there is no such
    file, or no file to read in the folder.
    """
    imported = Imported()
    known = {} if known is None else known
    for file in files_of(Path(path)):
        found = read_file(file)
        found.plugins = [plugin for plugin in found.plugins if is_new(plugin, known, str(file), found)]
        imported.add(found)
    return imported


def files_of(path: Path) -> list[Path]:
    """The files to read, by name."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(
            f"{path}: no such file or folder; name an OpenAPI document, an MCP listing or a registry.jsonl"
        )
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        raise InputError(f"{path}: no file in it ends in {', '.join(SUFFIXES)}; name the files themselves")
    return found


def read_file(path: Path) -> Imported:
    """The plugins of one file; what is wrong with the file as a whole is one refusal."""
    imported = Imported()
    if path.suffix.lower() == ".jsonl":
        for place, line in lines(path):
            try:
                candidate(parse_value(line), place, imported)
            except FormatError as error:
                imported.refuse(place, str(error))
        return imported
    try:
        document = parsed(path)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        imported.refuse(str(path), f"the file is neither JSON nor YAML: {' '.join(str(error).split())[:200]}")
        return imported
    if is_openapi(document):
        return plugins_of(document, str(path))
    if tools_of(document) is not None:
        return mcp_plugins(document, str(path))
    records = document if isinstance(document, list) else [document]
    if not any(isinstance(record, dict) and "pluginId" in record for record in records):
        imported.refuse(str(path), f"the file is neither of these: {KNOWN}")
        return imported
    for i, record in enumerate(records):
        candidate(record, f"{path}[{i}]" if isinstance(document, list) else str(path), imported)
    return imported


def lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """(place, content) of every line that is not blank."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            content = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if content:
                yield f"{path}:{number}", content


def is_new(plugin: Plugin, known: dict[str, Plugin], where: str, imported: Imported) -> bool:
    """Whether its id is not among those `known`, and from now on is; what becomes of another is told."""
    plugin_id = plugin["pluginId"]
    first = known.setdefault(plugin_id, plugin)
    if first is plugin:
        return True
    place = f"{where}: {plugin_id}"
    if first == plugin:
        imported.note(place, "the plugin was there before, and is kept once")
    else:
        imported.refuse(
            place, f"another plugin has this id ({first.get('name') or 'without a name'}); give one its own"
        )
    return False
