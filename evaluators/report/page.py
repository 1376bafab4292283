"""The page: its parts put together, so that nothing but its own two scripts can run.

Data is JSON in ASCII without a `<`, in an element that is not run. A Content-Security-Policy allows
the two scripts and the one style sheet by their hashes, and no request at all.
"""

import base64
import hashlib
import json
import re
from importlib import resources
from typing import Any

_SCRIPTS = (
    "page.js",
    "data.js",
    "charts.js",
    "board.js",
    "curves.js",
    "heatmap.js",
    "pictures.js",
    "samples.js",
    "main.js",
)

_PLACE = re.compile("%%([a-z]+)%%")

# What could end the element, open another or begin a comment.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


def build(data: dict[str, Any], library: str) -> bytes:
    """Returns the page.

    Args:
      data: JSON-like; what the page's scripts read.
      library: the script of `library.script`.
    """
    own = f'"use strict";\n(() => {{\n{"".join(map(_file, _SCRIPTS))}}})();\n'
    style = _file("style.css")
    parts = {
        "policy": _policy([library, own], style),
        "style": style,
        "data": embedded(data),
        "library": library,
        "script": own,
    }
    # In one pass: what is put in is not searched for places to fill.
    return _PLACE.sub(lambda found: parts[found[1]], _file("page.html")).encode("utf-8")


def embedded(data: Any) -> str:
    """Returns JSON that can stand in an element of HTML: ASCII, without `<`, `>` or `&`."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def _policy(scripts: list[str], style: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
    return f"'sha256-{digest}'"


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text("utf-8")
