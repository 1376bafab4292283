"""Recipes: what the shipped ones hold, and what is wrong with a bad one."""

from collections import Counter

import pytest

from clrs_text_bench import recipes, tasks
from clrs_text_bench.errors import BadInput

SHIPPED = [recipes.load(name) for name in recipes.shipped()]


def per_split(recipe):
    counts = Counter()
    for cell in recipe.cells():
        counts[cell.split] += cell.count
    return dict(counts)


@pytest.mark.parametrize("recipe", SHIPPED, ids=lambda r: r.name)
def test_shipped_recipes_are_named_as_their_files_and_described(recipe):
    assert recipes.load(recipe.name) == recipe
    assert recipe.description
    text = recipes.shipped()[recipe.name]
    assert text.startswith(f"# clrs-text-bench generate {recipe.name} ")
    assert len({(c.split, c.algorithm, c.length) for c in recipe.cells()}) == len(recipe.cells())


def test_the_recipes_that_ought_to_be_shipped_are():
    wanted = {"smoke", "transnar", "transnar-cpu", "clrs-text-train", "clrs-text-val"}
    assert wanted | {"extrapolate"} <= set(recipes.shipped())


def test_transnar_holds_the_papers_numbers():
    """Bounsi et al. 2024, section 4: 30 algorithms, 8 sizes, 10,000 each; 70% for training."""
    recipe = recipes.load("transnar")
    assert sum(c.count for c in recipe.cells()) == 2_400_000
    by_size = Counter()
    for cell in recipe.cells():
        by_size[cell.algorithm, cell.length] += cell.count
    assert by_size == {(name, n): 10_000 for name in tasks.names() for n in SIZES}
    assert {c.length for c in recipe.cells("train")} == {4, 5, 6, 7, 8, 12}
    assert {c.count for c in recipe.cells("train")} == {7_000}
    assert {c.length for c in recipe.cells("test")} == {10, 12, 14}
    assert {c.length for c in recipe.cells("validation")} == {4, 5, 6, 7, 8, 12}


SIZES = (4, 5, 6, 7, 8, 10, 12, 14)


def test_extrapolate_goes_to_four_times_sixteen():
    recipe = recipes.load("extrapolate")
    assert {c.length for c in recipe.cells()} == {16, 24, 32, 48, 64}
    assert {c.algorithm for c in recipe.cells()} == set(tasks.names())
    assert per_split(recipe).keys() == {"test"}


def test_smoke_has_all_thirty_in_both_splits():
    recipe = recipes.load("smoke")
    for split in ("train", "test"):
        assert {c.algorithm for c in recipe.cells(split)} == set(tasks.names())


# Markeeva et al. 2024: the training sizes of every algorithm are the first so many of these.
TRAIN_SIZES = (4, 5, 10, 11, 12, 15, 19, 23, 28, 31)
TRAIN_COUNTS = {
    "articulation_points": 7,
    "activity_selector": 10,
    "bellman_ford": 10,
    "bfs": 10,
    "binary_search": 10,
    "bridges": 2,
    "bubble_sort": 3,
    "dag_shortest_paths": 7,
    "dfs": 8,
    "dijkstra": 9,
    "find_maximum_subarray_kadane": 10,
    "floyd_warshall": 3,
    "graham_scan": 10,
    "heapsort": 3,
    "insertion_sort": 10,
    "jarvis_march": 5,
    "kmp_matcher": 10,
    "lcs_length": 3,
    "matrix_chain_order": 3,
    "minimum": 10,
    "mst_kruskal": 3,
    "mst_prim": 9,
    "naive_string_matcher": 10,
    "optimal_bst": 3,
    "quickselect": 10,
    "quicksort": 3,
    "segments_intersect": 10,
    "strongly_connected_components": 6,
    "task_scheduling": 10,
    "topological_sort": 8,
}
# The validation sizes of every algorithm go from 4 to this.
LARGEST_VALIDATION = {
    "activity_selector": 40,
    "articulation_points": 19,
    "bellman_ford": 32,
    "bfs": 41,
    "binary_search": 64,
    "bridges": 7,
    "bubble_sort": 11,
    "dag_shortest_paths": 19,
    "dfs": 20,
    "dijkstra": 25,
    "find_maximum_subarray_kadane": 64,
    "floyd_warshall": 11,
    "graham_scan": 31,
    "heapsort": 11,
    "insertion_sort": 25,
    "jarvis_march": 13,
    "kmp_matcher": 64,
    "lcs_length": 12,
    "matrix_chain_order": 12,
    "minimum": 64,
    "mst_kruskal": 10,
    "mst_prim": 26,
    "naive_string_matcher": 64,
    "optimal_bst": 10,
    "quickselect": 64,
    "quicksort": 12,
    "segments_intersect": 64,
    "strongly_connected_components": 16,
    "task_scheduling": 41,
    "topological_sort": 21,
}


def cells(recipe):
    return {(c.split, c.algorithm, c.length, c.samples, c.seeds) for c in recipe.cells()}


def test_clrs_text_train_holds_the_papers_numbers():
    assert cells(recipes.load("clrs-text-train")) == {
        ("train", name, length, 10_000, (0,))
        for name, count in TRAIN_COUNTS.items()
        for length in TRAIN_SIZES[:count]
    }


def test_clrs_text_val_holds_the_papers_numbers():
    assert cells(recipes.load("clrs-text-val")) == {
        ("validation", name, length, 125, (3, 14, 35, 81, 94))
        for name, largest in LARGEST_VALIDATION.items()
        for length in range(4, largest + 1)
    }


def written(split, head='name = "mine"'):
    return f'{head}\n[[splits]]\nname = "train"\nsamples = 5\n{split}'


BFS = 'algorithms = ["bfs"]\n'


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (BFS + 'lengths = "4-5"', [("bfs", 4), ("bfs", 5)]),
        (BFS + "lengths = [5, 4]", [("bfs", 4), ("bfs", 5)]),
        (BFS + "lengths = 6", [("bfs", 6)]),
        ('lengths.dfs = "4"\nlengths.bfs = [5]', [("dfs", 4), ("bfs", 5)]),
        (BFS + 'lengths.bfs = "4"', [("bfs", 4)]),
        ('algorithms = "clrs30"\nlengths = 4', [(name, 4) for name in tasks.names()]),
        ('algorithms = "all"\nlengths = 4', [(name, 4) for name in tasks.names()]),
    ],
)
def test_lengths_and_algorithms_can_be_written_in_several_ways(split, expected):
    recipe = recipes.parse(written(split), "f")
    assert [(c.algorithm, c.length) for c in recipe.cells()] == expected
    assert {(c.samples, c.seeds) for c in recipe.cells()} == {(5, (0,))}
    assert recipes.Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_split_may_stand_twice_where_the_cells_differ():
    two = written(BFS + "lengths = 4") + written(BFS + "lengths = 5", head="")
    assert [c.length for c in recipes.parse(two, "f").cells()] == [4, 5]


def test_graph_hints_follow_the_texts_unless_told():
    for head, expected in (
        ("", False),
        ("hints = true", True),
        ("hints = true\ngraph_hints = false", False),
        ("graph_hints = true", True),
    ):
        recipe = recipes.parse(written(BFS + "lengths = 4", f'name = "a"\n{head}'), "f")
        assert recipe.with_graph_hints() == expected


ANY = BFS + "lengths = 4"
PLACE = "f: splits.0: "


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "f is not valid TOML: "),
        ("", "f: key 'name' is missing"),
        ('name = "a"', "f: key 'splits' is missing"),
        ('name = "a"\nsplits = []', "f: splits = []: tuple should have at least 1 item"),
        ('name = "a"\nsplits = 3', "f: splits = 3: input should be a valid tuple"),
        ('name = "a"\n[splits]\nname = "x"', "f: splits = {'name': 'x'}: input should be a valid"),
        ('name = "a"\n[[split]]\n' + ANY, "f: unknown key 'split'; did you mean 'splits'?"),
        (written(ANY, 'name = "A B"'), "f: name = 'A B': string should match pattern"),
        (written(ANY, 'name = "a"\nhint = true'), "f: unknown key 'hint'; did you mean 'hints'?"),
        (written(ANY, 'name = "a"\nhints = 7'), "f: hints = 7: input should be a valid boolean"),
        (
            written(ANY, 'name = "a"\nstream = "upsteam"'),
            "f: stream = 'upsteam': input should be 'identity' or 'upstream'",
        ),
        (
            written(ANY + "\nseeds = [-1]", 'name = "a"\nstream = "upstream"'),
            "f: upstream's seeds go from 0 to 4294967295, not -1",
        ),
        (
            written(ANY + "\nseed = 1"),
            "f: unknown key 'splits.0.seed'; did you mean 'seeds'?",
        ),
        (written(ANY + "\nseeds = []"), "f: splits.0.seeds = []: tuple should have at least 1"),
        (written(ANY + "\nseeds = [1, 1]"), "f: splits.0.seeds: a seed stands twice"),
        (written(ANY + "\nseeds = 1"), "f: splits.0.seeds = 1: input should be a valid tuple"),
        (
            written(ANY + "\nseeds = [9223372036854775808]"),
            "f: splits.0.seeds.0 = 9223372036854775808: input should be less than",
        ),
        (written("lengths = 4"), PLACE + "key 'algorithms' is missing"),
        (written(BFS), "f: key 'splits.0.lengths' is missing"),
        (written("algorithms = []\nlengths = 4"), PLACE + "key 'algorithms' is missing"),
        (
            written('algorithms = "bfs"\nlengths = 4'),
            PLACE + 'algorithms must be "clrs30", "all" or a list of names, not \'bfs\'',
        ),
        (
            written("algorithms = 5\nlengths = 4"),
            PLACE + 'algorithms must be "clrs30", "all" or a list of names, not 5',
        ),
        (
            written("algorithms = [5]\nlengths = 4"),
            PLACE + 'algorithms must be "clrs30", "all" or a list of names, not [5]',
        ),
        (
            written('algorithms = ["bsf"]\nlengths = 4'),
            PLACE + "unknown algorithm 'bsf'; did you mean 'bfs'?",
        ),
        (
            written(BFS + 'lengths.dfs = "4"'),
            PLACE + "algorithms and the table of lengths name different algorithms",
        ),
        (written(BFS + "lengths = 1"), PLACE + "length 1 is too small for bfs: its smallest is 2"),
        (
            written('algorithms = ["bfs", "kmp_matcher"]\nlengths = "2-4"'),
            PLACE + "length 2 is too small for kmp_matcher: its smallest is 3",
        ),
        (written(BFS + 'lengths = "8-4"'), "length range '8-4' runs backwards; write 4-8"),
        (written(BFS + 'lengths = "a"'), "length 'a' in 'a' is not like 12 or 4-8"),
        (written(BFS + "lengths = 0"), "length '0' in '0' is below 1"),
        (written(BFS + "lengths = [4.5]"), "length '4.5' in '4.5' is not like 12 or 4-8"),
        (written(BFS + "lengths = 4.5"), "lengths must be like '4-8,12' or [4, 5, 12], not 4.5"),
        (written(BFS + "lengths = true"), "lengths must be like '4-8,12' or [4, 5, 12], not True"),
        (written(BFS + "lengths = []"), "lengths is empty"),
        (
            written(ANY).replace("samples = 5", "samples = 0"),
            "f: splits.0.samples = 0: input should be greater than or equal to 1",
        ),
        (
            written(ANY).replace("samples = 5", "samples = 5.0"),
            "f: splits.0.samples = 5.0: input should be a valid integer",
        ),
        (
            written(ANY).replace('"train"', '"../x"'),
            "f: splits.0.name = '../x': string should match pattern",
        ),
        (
            written(ANY) + "\n" + written(ANY, head=""),
            "f: bfs at length 4 stands twice in split train",
        ),
    ],
)
def test_a_bad_recipe_is_a_sentence_about_the_place(text, sentence):
    with pytest.raises(BadInput) as caught:
        recipes.parse(text, "f")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_and_unreadable_recipes(tmp_path):
    for name, sentence in (
        ("transar", "unknown recipe 'transar'; did you mean 'transnar'?"),
        (tmp_path / "no.toml", f"cannot read recipe {tmp_path}/no.toml: No such file"),
        (tmp_path / "folder.toml", f"cannot read recipe {tmp_path}/folder.toml: Is a directory"),
        (tmp_path / "latin.toml", f"{tmp_path}/latin.toml is not valid TOML: 'utf-8' codec"),
    ):
        (tmp_path / "folder.toml").mkdir(exist_ok=True)
        (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
        with pytest.raises(BadInput) as caught:
            recipes.load(name)
        assert str(caught.value).startswith(sentence)


def test_a_file_of_ones_own_is_loaded_as_shipped_ones_are(tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text(recipes.shipped()["smoke"])
    assert recipes.load(path) == recipes.load("smoke")


def test_ad_hoc_recipes():
    recipe = recipes.ad_hoc(["bfs", "dfs"], [4, 5], 7, split="test", seed=-3, hints=True)
    assert cells(recipe) == {("test", a, n, 7, (-3,)) for a in ("bfs", "dfs") for n in (4, 5)}
    assert recipe.hints
    with pytest.raises(BadInput, match=r"^count 0 is below 1$"):
        recipes.ad_hoc(["bfs"], [4], 0)
