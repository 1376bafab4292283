"""Makes a page's mention of another page, such as `docs/scale.md`, a link to it.

Pages and README name files as code, which is what one wants to read beside a clone of the
repository. A path that is not in the repository is a warning.
"""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

_ROOT = Path(__file__).parents[2]
_FOLDERS = "clrs_text_bench|generators|evaluators|models|docs|benchmarks|tests"
# Of a file or a folder: other names may hold a slash, too.
_PATH = re.compile(rf"({_FOLDERS})/([\w./-]*\.\w+|([\w.-]+/)*)")
_PAGE = re.compile(r"docs/(.+)\.md")

_log = logging.getLogger(__name__)


def _link_pages(app: Sphinx, page: nodes.document, name: str) -> None:
    for literal in list(page.findall(nodes.literal)):
        text = literal.astext()
        if not _PATH.fullmatch(text):
            continue
        named = _PAGE.fullmatch(text)
        if named and named[1] in app.env.found_docs:
            _link(app, literal, name, named[1])
        elif not (_ROOT / text).exists():
            _log.warning("%s is not in the repository", text, location=literal)


def _link(app: Sphinx, literal: nodes.literal, here: str, there: str) -> None:
    if not isinstance(literal.parent, nodes.reference):
        link = make_refnode(app.builder, here, there, "", literal.deepcopy())
        literal.replace_self(link)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers with Sphinx."""
    app.connect("doctree-resolved", _link_pages)
    return {"version": "1", "parallel_read_safe": True}
