"""Who may import whom, and what goes into the wheel."""

import ast
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from .. import command

ROOT = Path(__file__).parents[2]
SIBLINGS = ("generators", "evaluators", "models")
FOLDERS = ("clrs_text_bench", *SIBLINGS)
TOP_LEVEL = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff")


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path):
    """Yields the absolute names of all modules that a file imports, at whatever depth."""
    inside = path.relative_to(ROOT).with_suffix("").parts
    package = inside if inside[0] == "clrs_text_bench" else ("clrs_text_bench", *inside)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name, package):
    return name == package or name.startswith(f"{package}.")


def breaches(folder):
    """Returns the imports of a folder's files that cross into another part of the project."""
    others = [f"clrs_text_bench.{s}" for s in SIBLINGS if s != folder]
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(folder)
        for name in imported(path)
        if any(within(name, other) for other in others)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_parts_reach_each_other_through_the_registry_only(folder):
    assert sources(folder)
    assert breaches(folder) == []


@pytest.mark.parametrize("folder", [*FOLDERS, "tests", "benchmarks"])
def test_nothing_is_imported_by_the_bare_name_of_its_folder(folder):
    """Such an import would load a module twice, under two names."""
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            assert not {n.split(".")[0] for n in names} & set(SIBLINGS), path


@pytest.mark.parametrize("folder", SIBLINGS)
def test_parts_import_themselves_relatively(folder):
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert not within(node.module, f"clrs_text_bench.{folder}"), path


def test_the_rules_are_able_to_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "models" / "deep").mkdir(parents=True)
    file = tmp_path / "models" / "deep" / "x.py"
    for line in (
        "from clrs_text_bench.generators import batch",
        "def f():\n    from clrs_text_bench import generators",
        "import clrs_text_bench.evaluators.answers",
        "from ...generators import batch",
    ):
        file.write_text(line)
        assert breaches("models"), line
    file.write_text("from clrs_text_bench import tasks\nfrom .. import rows\nfrom . import y")
    assert breaches("models") == []


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def packages_on_disk():
    found = {}
    for folder in FOLDERS:
        for path in sources(folder):
            parts = path.parent.relative_to(ROOT).parts
            name = ".".join(parts if parts[0] == "clrs_text_bench" else ("clrs_text_bench", *parts))
            found.setdefault(name, []).append(path)
    return found


def test_every_package_is_listed():
    """One that is left out vanishes from the wheel without a word."""
    listed = project()["tool"]["setuptools"]["packages"]
    assert len(set(listed)) == len(listed)
    assert set(listed) == set(packages_on_disk())


def test_every_package_is_one():
    for name, files in packages_on_disk().items():
        assert "__init__.py" in [f.name for f in files], name


def test_every_entry_point_names_a_module_of_the_project():
    modules = {
        f"{package}.{file.stem}".removesuffix(".__init__")
        for package, files in packages_on_disk().items()
        for file in files
    }
    for group, entries in project()["project"]["entry-points"].items():
        # Inspect looks for extensions in a group of its own.
        assert group.startswith("clrs_text_bench.") or group == "inspect_ai"
        for target in entries.values():
            assert target.partition(":")[0] in modules


def pip(command, *arguments):
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    subprocess.run([sys.executable, "-m", "pip", command, *quiet, *arguments], check=True)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The source distribution, built from a copy of the sources, beside what is not for it."""
    source, made = (tmp_path_factory.mktemp(name) for name in ("source", "sdist"))
    leave_out = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=leave_out)
    for name in (*TOP_LEVEL, "MANIFEST.in"):
        shutil.copy(ROOT / name, source / name)
    for name in ("results", "docs", "tests", "benchmarks"):
        (source / name).mkdir()
        (source / name / "heavy.py").write_text("")
    code = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, made], check=True, cwd=source, capture_output=True)
    (file,) = made.glob("*.tar.gz")
    return file


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel, built from the source distribution."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, sdist)
    (made,) = folder.glob("*.whl")
    return made


def test_the_source_distribution_holds_the_sources_alone(sdist):
    with tarfile.open(sdist) as file:
        names = {name.partition("/")[2].partition("/")[0] for name in file.getnames()}
    made = {"", "PKG-INFO", "setup.cfg", "clrs_text_bench.egg-info"}
    assert names - made == {*FOLDERS, *TOP_LEVEL, "MANIFEST.in"}


def test_the_wheel_holds_every_module_recipe_config_and_page(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"{package.replace('.', '/')}/{file.name}"
        for package, files in packages_on_disk().items()
        for file in files
    }
    for folder in FOLDERS:
        for path in [*(ROOT / folder).rglob("*.toml"), *(ROOT / folder).rglob("page/*")]:
            inside = path.relative_to(ROOT).as_posix()
            expected.add(inside if folder == "clrs_text_bench" else f"clrs_text_bench/{inside}")
    assert expected <= names
    assert {n.split("/")[0] for n in names if ".dist-info" not in n} == {"clrs_text_bench"}


def test_the_wheel_works_outside_the_repository(wheel, tmp_path):
    pip("install", "--no-index", "--target", tmp_path / "site", wheel)
    code = (
        "import clrs_text_bench.generators as g, clrs_text_bench as c;"
        "from clrs_text_bench.cli.main import main;"
        "print(g.__file__); print(c.__file__); main(['list', 'recipes'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=command.surroundings(tmp_path / "site"),
    )
    first, second, *listed = done.stdout.splitlines()
    assert first.startswith(str(tmp_path / "site"))
    assert second.startswith(str(tmp_path / "site"))
    assert {"smoke", "transnar"} <= {line.split()[0] for line in listed}
