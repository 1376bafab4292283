"""Parameters of dm-clrs's network come in as a file, answer as they did there, and go out again."""

import pickle
import re

import jax
import numpy as np
import pytest

from clrs_text_bench import graph, registry, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models import load
from clrs_text_bench.models.nar import exchange, graphs, npz, recognition, weights
from clrs_text_bench.models.nar.config import NarConfig
from clrs_text_bench.models.nar.layout import Layout
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import imported as imported_runs
from clrs_text_bench.models.training.checkpoint import best
from clrs_text_bench.models.training.config import TrainingConfig

from .. import command
from ..evaluators import upstream_metric
from . import tiny_run, upstream_net

NAMES = ("quicksort", "bfs", "lcs_length")
LENGTH, ROWS = 5, 4
_H, _F = 8, 3

# Compiling takes far longer than running; results differ in rounding only.
_QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def table_of(name):
    return generate_batch(name, LENGTH, count=ROWS, graph_hints=True)


@pytest.fixture(scope="module")
def net():
    """dm-clrs's network of some algorithms: its transform, and features of our rows."""
    layout = Layout(NAMES)
    some = [upstream_net.features(tasks.get(n), graphs.rows(table_of(n), layout))[0] for n in NAMES]
    return upstream_net.net(layout, _H, _F), some


@pytest.fixture(scope="module")
def theirs(net):
    """Its parameters, by the names and shapes that it gives them, drawn here."""
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda x: (0.3 * generator.normal(size=x.shape)).astype(np.float32), shapes_of(*net)
    )


def shapes_of(transform, some):
    return jax.eval_shape(lambda key: upstream_net.init(transform, key, some), jax.random.key(0))


def save(path, params):
    """Saves dm-clrs's parameters as the documentation says."""
    flat = {f"{module}/{name}": x for module, of in params.items() for name, x in of.items()}
    np.savez(path, **flat)
    return path


@pytest.fixture(scope="module")
def file(theirs, tmp_path_factory):
    return save(tmp_path_factory.mktemp("theirs") / "params.npz", theirs)


@pytest.fixture(scope="module")
def imported(file, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "theirs"
    done = command.run("weights", "import", file, "--out", run)
    assert f"a reasoner of {', '.join(NAMES)}" in done.stderr
    assert f'next: clrs-text-bench evaluate "nar:{run}?steps=trace" --data' in done.stderr
    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_imported_network_predicts_as_it_did_in_dm_clrs(net, theirs, imported, name):
    import clrs
    from clrs._src import decoders

    transform, some = net
    place, task = NAMES.index(name), tasks.get(name)

    def predict(params):
        outputs, _ = transform.apply(params, jax.random.key(0), [some[place]], place)
        # As `BaselineModel._predict` does it.
        return {
            name: point.data
            for name, point in decoders.postprocess(
                upstream_net.spec(task),
                outputs,
                sinkhorn_temperature=0.1,
                sinkhorn_steps=50,
                hard=True,
            ).items()
        }

    found = jax.jit(predict).lower(theirs).compile(_QUICKLY)(theirs)
    expected = {probe: np.asarray(x) for probe, x in found.items()}
    for probe in task.stage("output"):
        if probe.type == "should_be_permutation":
            first = expected.pop(f"{probe.name}_mask") > 0
            pointers = np.argmax(expected[probe.name], axis=-1)
            expected[probe.name] = np.where(first, np.arange(LENGTH), pointers)
    table = table_of(name)
    answers = load(f"nar:{imported}?steps=trace").generate(table)
    ours = unpacked(name, answers["graph_prediction"])
    assert ours.keys() == expected.keys()
    for probe, x in ours.items():
        np.testing.assert_array_equal(x, expected[probe])
    # So that what the metric says of a run is what dm-clrs says of the network.
    judge = registry.load("evaluators", "clrs-metric")
    scores = judge.pooled(judge.score(answers, table, extraction="strict"), np.ones((1, ROWS), int))
    _, outputs = upstream_net.features(task, graphs.rows(table, Layout(NAMES)))
    points = {p.name: p for p in outputs}
    predicted = {
        key: clrs.DataPoint(key, points[key].location, points[key].type_, np.asarray(x))
        for key, x in found.items()
    }
    theirs_say = clrs.evaluate(tuple(outputs), predicted)["score"]
    assert scores["clrs_metric"][0] == pytest.approx(theirs_say, abs=1e-6)
    true = unpacked(name, table["graph_outputs"])
    assert theirs_say == pytest.approx(upstream_metric.evaluate(task, true, ours), abs=1e-6)


def unpacked(name, column):
    rows = [graph.unpack(name, LENGTH, x, "output") for x in column.to_pylist()]
    return {probe: np.stack([row[probe] for row in rows]) for probe in rows[0]}


def test_what_came_in_goes_out_to_the_bit(file, imported, theirs, tmp_path):
    done = command.run("weights", "export", imported, "--out", tmp_path / "out.npz")
    assert f"its algorithms, in order: {', '.join(NAMES)}" in done.stderr
    again = npz.read(tmp_path / "out.npz")
    assert {m: set(of) for m, of in again.items()} == {m: set(of) for m, of in theirs.items()}
    for module, of in theirs.items():
        for name, x in of.items():
            assert again[module][name].dtype == np.float32
            assert again[module][name].tobytes() == np.asarray(x).tobytes()


def own_run(folder, **settings):
    """Makes a run of a reasoner as training would leave it."""
    config = TrainingConfig(model=NarConfig(hidden_dim=_H, triplet_dim=_F, **settings))
    trainable = TrainableNar(config.model, seed=1)
    imported_runs.write(folder, config, trainable, "nowhere", trainable.init())
    return folder


@pytest.mark.slow
def test_a_run_of_ours_goes_out_and_comes_back_with_the_same_answers(tmp_path):
    run = own_run(tmp_path / "run", algorithms=("bfs",))
    weights.export_run(run, tmp_path / "out.npz", without_halting=True)
    assert weights.import_file(tmp_path / "out.npz", tmp_path / "again") == ("bfs",)
    first, again = (
        load(f"nar:{tmp_path / name}?steps=bound").generate(table_of("bfs"))
        for name in ("run", "again")
    )
    for column in ("prediction", "graph_prediction"):
        assert first[column].equals(again[column])


@pytest.mark.slow
def test_an_imported_run_is_evaluated(imported, tmp_path):
    command.run(
        *("generate", "-a", "bfs", "-l", "5", "-n", "4"),
        *("--out", tmp_path / "data"),
    )
    done = command.run(
        *("evaluate", f"nar:{imported}?steps=bound", "--data", tmp_path / "data"),
        *("--evaluator", "clrs-metric", "--results", tmp_path / "results"),
    )
    assert "clrs_metric" in done.stdout
    shown = command.run(
        *("leaderboard", "--results", tmp_path / "results", "--by", "algorithm"),
        *("--score", "clrs_metric"),
    )
    assert re.search(r"^bfs +[01]\.\d{3} \[", shown.stdout, re.MULTILINE)


def test_algorithms_are_known_by_their_probes_where_these_differ():
    same = [sorted(names) for names in recognition._candidates().values() if len(names) > 1]
    assert ["bubble_sort", "insertion_sort"] in same
    told = [n for n in tasks.names() if not any(n in names for names in same)]
    assert len(told) > 20
    shapes = TrainableNar(NarConfig(algorithms=told, hidden_dim=2, triplet_dim=1), seed=0).shapes()
    tree = zeros(exchange.to_upstream(Layout(tuple(told)), zeros(shapes)))
    config = recognition.config_of(tree, ())
    assert config.algorithms == tuple(told)
    assert (config.hidden_dim, config.triplet_dim, config.halting) == (2, 1, False)


def zeros(tree):
    return jax.tree.map(lambda x: np.zeros(x.shape, np.float32), tree)


def test_algorithms_that_share_their_probes_are_named(tmp_path):
    run = own_run(tmp_path / "run", algorithms=("bubble_sort", "bfs"), halting=False)
    weights.export_run(run, tmp_path / "out.npz")
    told = command.sentence_here("weights", "import", tmp_path / "out.npz", "--out", tmp_path / "a")
    assert told == (
        f"{tmp_path / 'out.npz'}: algorithm 0 may be insertion_sort or bubble_sort, which have the "
        "same probes; name all algorithms in their order, with -a for each"
    )
    named = ("bubble_sort", "bfs")
    assert weights.import_file(tmp_path / "out.npz", tmp_path / "a", named) == named
    trainable = TrainableNar(
        NarConfig(algorithms=named, hidden_dim=_H, triplet_dim=_F, halting=False), seed=0
    )
    ours, again = (best(tmp_path / name, trainable.shapes()).state for name in ("run", "a"))
    assert jax.tree.all(jax.tree.map(np.array_equal, ours, again))


_M_1 = "net/mpnn_aggr_clrs_processor/linear"
_BFS = "net/~_construct_encoders_decoders/algo_1_pi_dec_linear"


def changed(params, module, name, value):
    tree = {m: dict(of) for m, of in params.items()}
    if value is None:
        del tree[module][name]
    else:
        tree.setdefault(module, {})[name] = value
    return tree


@pytest.mark.parametrize(
    ("module", "name", "value", "sentence"),
    [
        (_BFS, "b", None, f"parameter {_BFS}/b is missing"),
        (_M_1, "w", None, f"parameter {_M_1}/w is missing; of dm-clrs's processors, triplet_gmp"),
        (f"{_M_1}_6", "w", np.zeros(3, np.float32), "linear_6/w has shape (3,), expected two axes"),
        (
            f"{_M_1}_1",
            "w",
            np.zeros((16, 7), np.float32),
            f"parameter {_M_1}_1/w is float32 of shape (16, 7), expected float32 of shape (16, 8)",
        ),
        (f"{_M_1}_1", "b", np.zeros(8), "linear_1/b is float64 of shape (8,), expected float32"),
        ("net/lstm", "w", np.zeros(8), "parameter net/lstm/w is none of this network's"),
        (
            "net/~_construct_encoders_decoders/algo_1_mark_enc_linear",
            "w",
            np.zeros((1, 8), np.float32),
            "algorithm 1 has the probes A, adj, mark, pi, pi_h, pos, reach_h, s, which no known",
        ),
        (
            "net/~_construct_encoders_decoders/algo_5_pos_enc_linear",
            "w",
            np.zeros((1, 8), np.float32),
            "algorithm 3 of 6 has no parameters in it",
        ),
        ("net/a", "w", np.array([{}]), "is no .npz file of plain arrays, and a pickle may run any"),
    ],
)
def test_what_either_side_lacks_is_a_sentence(theirs, module, name, value, sentence, tmp_path):
    path = save(tmp_path / "params.npz", changed(theirs, module, name, value))
    found = command.sentence_here("weights", "import", path, "--out", tmp_path / "run")
    assert sentence in found
    assert str(path) in found
    assert not (tmp_path / "run").exists()


def test_several_that_are_missing_are_counted(theirs, tmp_path):
    tree = {m: of for m, of in theirs.items() if not m.endswith("layer_norm")}
    tree["net/more"] = {"w": np.zeros(1), "b": np.zeros(1)}
    path = save(tmp_path / "params.npz", tree)
    assert command.sentence_here("weights", "import", path, "--out", tmp_path / "run") == (
        f"{path}: parameter net/mpnn_aggr_clrs_processor/layer_norm/offset (and 1 more like it) is "
        "missing; parameter net/more/b (and 1 more like it) is none of this network's"
    )


@pytest.mark.parametrize(
    ("algorithms", "sentence"),
    [
        (NAMES[:2], "it is of 3 algorithms, and 2 are named"),
        (("quicksort", "bsf", *NAMES[2:]), "unknown algorithm 'bsf'; did you mean 'bfs'"),
        (("quicksort", "dfs", *NAMES[2:]), "algorithm 1 is not dfs: its probes are those of bfs"),
        (("bfs", "bfs", *NAMES[2:]), "algorithm 0 is not bfs: its probes are those of quicksort"),
    ],
)
def test_algorithms_that_do_not_fit_are_a_sentence(file, algorithms, sentence, tmp_path):
    chosen = [argument for name in algorithms for argument in ("-a", name)]
    found = command.sentence_here("weights", "import", file, *chosen, "--out", tmp_path / "run")
    assert found.startswith(f"{file}: {sentence}")


def test_files_that_are_none_are_a_sentence(theirs, tmp_path):
    def refusal(name, data):
        (tmp_path / name).write_bytes(data)
        return command.sentence_here(
            "weights", "import", tmp_path / name, "--out", tmp_path / "run"
        )

    whole = save(tmp_path / "whole.npz", theirs).read_bytes()
    plain = "is no .npz file of plain arrays, and a pickle may run any code when it is read; save"
    assert plain in refusal("pickle.npz", pickle.dumps(theirs))
    assert plain in refusal("text.npz", b"hello")
    assert "is no whole .npz file" in refusal("empty.npz", b"")
    assert "is no whole .npz file" in refusal("cut.npz", whole[: len(whole) // 2])
    place = whole.index(b"NUMPY") + 200
    assert "is no whole .npz file" in refusal(
        "altered.npz", whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    )
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "is one array, no .npz file" in refusal("one.npz", (tmp_path / "one.npy").read_bytes())
    with open(tmp_path / "none.npz", "wb") as sink:
        np.savez(sink, x=np.zeros(3))
    assert "no parameters of a dm-clrs network, such as net/~_construct" in command.sentence_here(
        "weights", "import", tmp_path / "none.npz", "--out", tmp_path / "run"
    )
    assert "No such file or directory" in command.sentence_here(
        "weights", "import", tmp_path / "nowhere.npz", "--out", tmp_path / "run"
    )
    assert "model.pkl is a pickle, which may run any code" in command.sentence_here(
        "weights", "import", tmp_path / "model.pkl", "--out", tmp_path / "run"
    )
    assert "-a is for .npz files, and model is none" in command.sentence_here(
        "weights", "import", "model", "-a", "bfs", "--out", tmp_path / "run"
    )
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Runs that dm-clrs's network has no parameters for."""
    folder = tmp_path_factory.mktemp("others")
    own_run(folder / "halting", algorithms=("bfs",))
    own_run(folder / "other", algorithms=("bfs",), halting=False, processor="g-forgetnet")
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("import {file} --out full", "full is there already; choose another --out"),
        (
            "export {others}/halting --out out.npz",
            "halting has learnt when to stop, which dm-clrs's netwo",
        ),
        ("export {imported} --out full/thesis.npz", "thesis.npz is there already; choose another"),
        ("export {imported} --out out", "--out out must end in .npz"),
        (
            "export {others}/other --out out.npz",
            "has processor g-forgetnet, which dm-clrs lacks; triplet-",
        ),
        ("export none --out out.npz", "run none does not exist; name the --out folder of"),
    ],
)
def test_what_cannot_be_exchanged_is_a_sentence(
    arguments, sentence, file, imported, others, tmp_path, monkeypatch
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.npz").write_text("mine")
    monkeypatch.chdir(tmp_path)
    before = tiny_run.contents(tmp_path)
    given = arguments.format(file=file, imported=imported, others=others)
    assert sentence in command.sentence_here("weights", *given.split())
    assert tiny_run.contents(tmp_path) == before


def test_a_head_that_a_transformer_lacks_is_not_left_out(unbroken, tmp_path):
    assert "--without-halting is for reasoners" in command.sentence_here(
        "weights", "export", unbroken, "--without-halting", "--out", tmp_path / "out"
    )


def test_the_import_of_another_network_is_refused_by_halting():
    model = NarConfig(algorithms=("bfs",), hidden_dim=2, triplet_dim=1)
    trainable = TrainableNar(model, seed=0)
    with pytest.raises(BadInput, match=r"does not learn when to stop; set model.halting = false"):
        exchange.from_upstream(trainable.layout, {}, trainable.shapes())
