"""Vega, Vega-Lite and Vega-Embed as one script, from the package `vl-convert-python`."""

from importlib import resources

from clrs_text_bench import extras


def script() -> str:
    """Returns JavaScript that sets `window.vegaEmbed`, under its licences.

    Raises:
      BadInput: if `vl-convert-python` is not installed.
    """
    vl_convert = extras.load("vl_convert", "report", "a report")
    licences = resources.files(__package__).joinpath("page", "licences.txt").read_text("utf-8")
    return f"/*\n{licences}*/\n{vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;')}"
