"""The documentation site: `sphinx-build -W docs build/site` makes it from these pages.

Pages are Markdown. A new page in this folder stands in the list of guides by itself.
"""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "clrs-text-bench"
author = copyright = "the clrs-text-bench authors; Apache-2.0"
release = metadata.version("clrs-text-bench")
html_title = f"{project} {release}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "help_texts",
    "repository_paths",
    "task_table",
]
exclude_patterns = ["examples/*/tests"]
html_theme = "furo"
html_copy_source = False

# In docstrings and help texts, `this` is code, as it is in Markdown.
default_role = "code"
smartquotes = False  # options begin with two hyphens
highlight_language = "none"  # of blocks that name none
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_ivar = True
