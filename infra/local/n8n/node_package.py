"""Putting our node package where n8n looks for it."""

from __future__ import annotations

import filecmp
import json
import shutil
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "n8n" / "package"
"""The node package."""

_SHIPPED = ("package.json", "dist")


def install_node_package(user_folder: Path) -> Path:
    """Copy the node package below n8n's user folder and return its place there.

    n8n loads it at its next start, under the type ``n8n-nodes-codika.codika`` (nodes §1). What is the same
    already is left alone.
    """
    name = str(json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))["name"])
    packages = user_folder / ".n8n" / "nodes" / "node_modules"
    place = packages / name
    if place.is_dir() and _same(SOURCE, place):
        return place
    packages.mkdir(parents=True, exist_ok=True)
    draft = packages / f".{name}.partial"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    shutil.copyfile(SOURCE / "package.json", draft / "package.json")
    shutil.copytree(SOURCE / "dist", draft / "dist")
    shutil.rmtree(place, ignore_errors=True)
    draft.rename(place)
    return place


def _same(source: Path, place: Path) -> bool:
    files = _files(source)
    equal, _, _ = filecmp.cmpfiles(source, place, files, shallow=False)
    return files == _files(place) and len(equal) == len(files)


def _files(folder: Path) -> list[str]:
    found = [folder / "package.json", *(folder / "dist").rglob("*")]
    return sorted(str(file.relative_to(folder)) for file in found if file.is_file())
