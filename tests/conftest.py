"""Set before any test is collected: what may be imported, and the oracle's seed."""

import sys

import pytest

# PyTorch for NVIDIA cards brings Triton, whose LLVM aborts the process when it is loaded after
# TensorFlow's ("registered more than once"). PyTorch is a reference on the CPU here and needs none.
sys.modules["triton"] = None


def pytest_addoption(parser):
    parser.addoption(
        "--upstream-seed",
        type=int,
        default=0,
        help="first seed of the samples of dm-clrs that the native engine is held against",
    )
    parser.addoption("--long", action="store_true", help="run what takes half an hour, too")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skip = pytest.mark.skip(reason="takes half an hour; run it with --long")
        for item in items:
            if "long" in item.keywords:
                item.add_marker(skip)


@pytest.fixture
def run(capsys):
    """Runs the command line; returns exit code, standard output and standard error."""
    from clrs_text_bench.cli.main import main

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
        return stopped.value.code, *capsys.readouterr()

    return call
