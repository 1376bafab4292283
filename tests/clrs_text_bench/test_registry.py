"""Plug-ins of every kind through their entry points, ours and a third party's."""

import pytest

from clrs_text_bench import modelspec, registry
from clrs_text_bench.errors import BadInput

from .. import command, plugins

GROUPS = ("tasks", "generators", "evaluators", "models", "commands")
KINDS = {"generators": "engine", "models": "model", "evaluators": "evaluator"}


@pytest.mark.parametrize("group", GROUPS)
def test_everything_registered_can_be_loaded(group):
    assert registry.names(group)
    for plugin in registry.plugins(group):
        assert plugin.distribution.startswith("clrs-text-bench ")
        assert plugin.target.startswith("clrs_text_bench.")
        assert registry.load(group, plugin.name) is not None


@pytest.mark.parametrize(
    ("group", "name", "sentence"),
    [
        ("models", "solvr", "unknown model 'solvr'; did you mean 'solver'?"),
        ("generators", "dmclrs", "unknown engine 'dmclrs'; did you mean 'dm-clrs'?"),
        ("evaluators", "clrs_text", "unknown evaluator 'clrs_text'; did you mean 'clrs-text'?"),
        ("generators", "zzz", "unknown engine 'zzz'; known: dm-clrs, native"),
    ],
)
def test_an_unknown_name_is_met_with_the_nearest(group, name, sentence):
    with pytest.raises(BadInput) as caught:
        registry.load(group, name)
    assert str(caught.value) == sentence


def test_a_model_spec_is_a_name_and_what_to_hand_it():
    assert modelspec.load("solver").info().settings["engine"] == "native"
    assert modelspec.load("solver:dm-clrs").info().settings["engine"] == "dm-clrs"
    for spec, sentence in (
        ("solvr:x:y", "unknown model 'solvr'; did you mean 'solver'?"),
        ("", "unknown model ''; known: "),
    ):
        with pytest.raises(BadInput) as caught:
            modelspec.load(spec)
        assert str(caught.value).startswith(sentence)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A package all of whose plug-ins raise on import."""
    entries = {group: {"broken": "broken_plugin:thing"} for group in GROUPS}
    source = {"broken_plugin": "raise RuntimeError('no luck')"}
    return plugins.install(tmp_path_factory.mktemp("broken"), "third-party", entries, source)


def why(kind):
    return (
        f"{kind} 'broken' of third-party 1.0 cannot be imported from broken_plugin:thing: "
        "RuntimeError: no luck"
    )


def test_a_broken_command_is_named_in_the_help_and_on_use(broken):
    text = " ".join(command.run("--help", path=broken).stdout.split())
    assert why("command") in text
    assert "verify Rehash a data set's files" in text
    assert command.sentence("broken", path=broken) == why("command")


@pytest.mark.parametrize("group", ["models", "evaluators"])
def test_broken_plugins_are_named_in_lists(broken, group):
    listed = command.run("list", group, path=broken).stdout.splitlines()
    rows = {line.split()[0]: line for line in listed[1:]}
    assert why(KINDS[group]) in rows.pop("broken")
    assert list(rows) == registry.names(group)
    assert all("cannot be imported" not in row for row in rows.values())


def test_a_broken_engine_is_named_when_asked_for_and_others_work(broken, tmp_path):
    asked = ("generate", "-a", "minimum", "-l", "4", "-n", "2", "--out", tmp_path / "data")
    assert command.sentence(*asked, "--engine", "broken", path=broken) == why("engine")
    assert not (tmp_path / "data").exists()
    command.run(*asked, "--workers", "1", path=broken)
    evaluated = ("--data", tmp_path / "data", "--results", tmp_path / "results")
    assert command.sentence("evaluate", "broken", *evaluated, path=broken) == why("model")
    assert not (tmp_path / "results").exists()


def test_two_packages_that_claim_one_name_are_both_named(tmp_path):
    claim = {"models": {"solver": "impostor:load"}, "commands": {"show": "impostor:load"}}
    plugins.install(tmp_path, "impostor", claim, {"impostor": "load = None"})
    sentence = command.sentence("show", "data", path=tmp_path)
    assert sentence.startswith("command 'show' is registered twice, by ")
    assert sentence.endswith("; uninstall one")
    assert "impostor 1.0 (impostor:load)" in sentence
    assert "(clrs_text_bench.generators.cli:show)" in sentence
    listed = command.run("list", "models", path=tmp_path).stdout
    assert listed.count("model 'solver' is registered twice") == 2
    assert "is registered twice" in command.run("--help", path=tmp_path).stdout
    command.run("verify", "--help", path=tmp_path)


def test_one_package_seen_twice_is_no_conflict(tmp_path):
    """An editable install beside a build folder shows the same metadata two times."""
    entries = {"models": {"mine": "my_model:load"}}
    for folder in ("a", "b"):
        plugins.install(tmp_path / folder, "mine", entries, {"my_model": "load = print"})
    path = f"{tmp_path / 'a'}:{tmp_path / 'b'}"
    listed = command.run("list", "models", path=path).stdout
    assert sum(line.startswith("mine ") for line in listed.splitlines()) == 1
    assert "registered twice" not in listed
