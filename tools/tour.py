"""The pictures that the page tests have made, on one page: `python -m tools.tour`, after the tests.

Writes `index.html` beside the pictures: those of `docs/tour.md` in its order and under its words, then all
others.
Fails if the tour names a picture that is not there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
TOUR: Final = _ROOT / "docs" / "tour.md"

#: Where the tests put their pictures unless $SHOTS says otherwise (`tests/web/pages.py`), and tour.md links.
SHOTS: Final = "build/shots"
_LINK: Final = re.compile(rf"\[[^]]*\]\(\.\./{SHOTS}/([^)]+)\.png\)")

_HEAD: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>A tour of the pages</title>
<style>body { font: 1rem/1.5 sans-serif; margin: 2rem; } .row { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } img { max-width: 22rem; max-height: 30rem; border: 1px solid #ccc; display: block; }
figcaption { color: #555; font-size: .85rem; }</style>
<h1>A tour of the pages</h1>
"""


def named(line: str) -> list[str]:
    """The pictures that a line of the tour names, without `.png`."""
    return _LINK.findall(line)


def index(made: set[str], tour: str) -> str:
    """The page over the pictures that were made."""
    return _HEAD + "\n".join(_parts(made, tour)) + "\n"


def _parts(made: set[str], tour: str) -> Iterator[str]:
    shown: set[str] = set()
    for line in tour.splitlines():
        if line.startswith("## "):
            yield f"<h2>{escape(line[3:])}</h2>"
        elif names := named(line):
            shown.update(names)
            said = line.strip("| ").partition("|")[0].strip() if line.startswith("|") else ""
            yield f"<p>{escape(said)}</p>{_row(names)}"
    yield f"<h2>All others</h2>{_row(sorted(made - shown))}"


def _row(names: list[str]) -> str:
    pictures = (
        f'<figure><a href="{name}.png"><img src="{name}.png" alt="{name}" loading="lazy"></a>'
        f"<figcaption>{name}</figcaption></figure>"
        for name in map(escape, names)
    )
    return f'<div class="row">{"".join(pictures)}</div>'


def main() -> int:
    """Write the page; 1 if a picture of the tour is missing."""
    folder = Path(os.environ.get("SHOTS") or _ROOT / SHOTS)
    made = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.png")}
    tour = TOUR.read_text("utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(index(made, tour), "utf-8")
    missing = [name for name in named(tour) if name not in made]
    print(f"{len(made)} pictures: {folder / 'index.html'}")
    for name in missing:
        print(f"the tour names {name}.png, which no test has made")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
