"""Settings of Sphinx: `make docs`. Pages are Markdown; warnings are errors there."""

from importlib.metadata import version as installed

project = "gen"
author = "The maintainers of gen"
version = release = installed("gen-core")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
# A link to a file outside docs/ is for readers of the checkout, and plain text here; tests/laws/test_docs.py holds
# every relative link, wherever it leads.
suppress_warnings = ["myst.xref_missing"]

myst_heading_anchors = 3  # links to headings, made as on a forge
nitpicky = True

html_theme = "furo"
html_title = f"gen {release}"
html_copy_source = False
html_show_sourcelink = False
