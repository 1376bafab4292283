"""What the pages show is what happens."""

import pytest

from . import pages


@pytest.mark.parametrize("page", pages.with_examples(), ids=lambda p: p.stem)
def test_python_prompts_give_what_the_page_says(page):
    failed, told = pages.failed_examples(page)
    assert failed == 0, told


@pytest.mark.parametrize("page", pages.with_output(), ids=lambda p: p.stem)
def test_commands_print_what_the_page_says(page, tmp_path):
    """Write anew what they print with `python tests/docs/pages.py`."""
    pages.beside_results(tmp_path)
    assert pages.done_again(page, tmp_path) == page.read_text()
