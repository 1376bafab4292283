"""What is said of the project in more than one file is the same in all."""

import re
import shlex
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text())


def bibtex():
    """Returns the fields of the README's entry."""
    (entry,) = re.findall(r"```bibtex\n@software\{\w+,\n(.*?)\n\}\n```", readme(), re.DOTALL)
    return dict(re.findall(r"(\w+) = \{(.*)\}", entry))


def readme():
    return (ROOT / "README.md").read_text()


def test_the_citation_is_the_readmes():
    said, entry = citation(), bibtex()
    assert said["title"] == entry["title"]
    assert str(said["version"]) == entry["version"] == PROJECT["version"]
    assert said["license"] == PROJECT["license"]


def test_the_works_to_cite_are_those_the_readme_names():
    named = set(re.findall(r"\(([^()]+?) et al\.\s(\d{4})\)", readme().partition("## How to cite")[2]))
    works = citation()["references"]
    assert {(w["authors"][0]["family-names"], str(w["year"])) for w in works} == named
    assert len(named) == 3


def test_hooks_run_the_linter_that_the_tests_extra_allows():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    pins = {p for h in hooks if h["entry"].startswith("ruff") for p in h["additional_dependencies"]}
    (version,) = (pin.removeprefix("ruff==") for pin in pins)
    (least,) = (r for r in PROJECT["optional-dependencies"]["test"] if r.startswith("ruff"))
    lower = least.removeprefix("ruff>=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, lower.split(".")))


def test_the_image_copies_what_the_wheel_is_built_of():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {p for line in lines if line.startswith("COPY ") for p in shlex.split(line)[1:-1]}
    copied -= {"--from=wheel", "/wheels"}
    folders = {"clrs_text_bench", "generators", "evaluators", "models"}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", *folders}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


def test_the_documentation_names_the_pythons_that_were_tried():
    page = (ROOT / "docs" / "start" / "install.md").read_text()
    prefix = "Programming Language :: Python :: "
    tried = [c.removeprefix(prefix) for c in PROJECT["classifiers"] if c.startswith(prefix)]
    assert f"Python {', '.join(tried[:-1])} or {tried[-1]}" in page
