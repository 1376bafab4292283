"""What two engines draw, side by side, and the statistics that would tell them apart.

Legend: R samples, n nodes, K features of a sample. A probe's draws are `[R, ...]`.

Every feature is compared twice: by its mean, and by its distribution (Kolmogorov and Smirnov).
"""

from functools import cache
from itertools import combinations

import numpy as np

from clrs_text_bench import tasks
from clrs_text_bench.generators.native.engine import Engine

_DERIVED = ("pos", "adj")

# So many statistics there are at most in a case, and so many cases in a whole run, slow ones
# included: chance alone fails less than one run of a million.
MOST_STATISTICS, MOST_CASES = 400, 60
_CHANCE = 1e-6 / (MOST_STATISTICS * MOST_CASES)
# A distance is beyond d with at most 2 exp(-2 d^2) (Massart 1990; for two samples Wei and Dudley
# 2012), and means of thousands of draws are more than z standard errors apart with less than
# 2 exp(-z^2 / 2).
MOST_DISTANCE = np.sqrt(np.log(2 / _CHANCE) / 2)
MOST_Z = np.sqrt(2 * np.log(2 / _CHANCE))


def native_draws(algorithm: str, length: int, count: int, seed: int) -> dict[str, np.ndarray]:
    """Returns the inputs of the engine's samples by probe, without `pos` and `adj`."""
    task = tasks.get(algorithm)
    table = Engine().generate(
        algorithm,
        length,
        seed=seed,
        split="train",
        indices=np.arange(count),
        use_hints=False,
        graph_hints=False,
    )
    flat = table.column("graph_inputs").combine_chunks().values.to_numpy().reshape(count, -1)
    found, at, n = {}, 0, task.n_nodes(length)
    for probe in task.stage("input"):
        size = int(np.prod(probe.shape(n)))
        if probe.name not in _DERIVED:
            values = flat[:, at : at + size].reshape(count, *probe.shape(n))
            found[probe.name] = np.round(values.astype(np.float64), 3)
        at += size
    return found


def upstream_draws(algorithm: str, length: int, count: int, seed: int) -> dict[str, np.ndarray]:
    """Returns what upstream's sampler draws, truncated, by the probes that it ends up in."""
    from clrs_text_bench.generators import upstream

    sampler = upstream.sampler(algorithm, length, seed)
    arguments = _drawn(type(sampler), length, count, seed)
    names = [p.name for p in tasks.get(algorithm).stage("input") if p.name not in _DERIVED]
    if "string" in names:
        return _as_strings(*arguments)
    if names in (["key", "target"], ["s", "A"]):  # upstream's functions take these the other way
        arguments = arguments[::-1]
    found = dict(zip(names, arguments, strict=True))
    if "s" in found and found["s"].ndim == 1:
        found["s"] = np.eye(length)[found["s"]]
    if algorithm == "optimal_bst":
        found["p"] = np.pad(found["p"], ((0, 0), (0, 1)))
    return {name: values.astype(np.float64) for name, values in found.items()}


@cache
def _drawn(kind: type, length: int, count: int, seed: int) -> tuple[np.ndarray, ...]:
    """Draws the arguments of upstream's algorithms, once for all that share a sampler."""
    from clrs_text_bench.generators import upstream

    name = next(a for a, k in upstream.samplers.SAMPLERS.items() if k is kind)
    sampler = upstream.sampler(name, length, seed)
    drawn = [
        sampler._trunc_array(sampler._sample_data(*sampler._args, **sampler._kwargs))
        for _ in range(count)
    ]
    return tuple(np.array(argument) for argument in zip(*drawn, strict=True))


def _as_strings(first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    string = np.repeat([0.0, 1.0], [first.shape[1], second.shape[1]])
    return {
        "string": np.tile(string, (len(first), 1)),
        "key": np.eye(4)[np.concatenate([first, second], axis=1)],
    }


def features(draws: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns features of samples by name, `[R, K]` each."""
    if "string" in draws:
        return _string_features(draws["string"], np.argmax(draws["key"], axis=-1))
    found = {}
    for name, values in draws.items():
        if values.ndim == 1:
            found[name] = values[:, None]
        elif name == "A":
            found.update(_graph_features(values))
        elif name == "s" and "A" in draws:
            found["source"] = np.argmax(values, axis=-1)[:, None]
            found["degree of source"] = np.sum(values * np.sum(draws["A"] != 0, axis=2), axis=1)
        else:
            found.update(_value_features(name, values))
    found.update(_pair_features(draws))
    return {name: values.reshape(len(values), -1) for name, values in found.items()}


def _value_features(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"{name} by node": values,
        f"{name} in order": np.sort(values, axis=1),
        f"sum of {name}": np.sum(values, axis=1),
        f"{name} times the next": values[:, 1:] * values[:, :-1],
        f"steps of {name}": np.abs(np.diff(values, axis=1)),
    }


def _pair_features(draws: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Features of how two inputs hang together."""
    found = {}
    if "target" in draws:
        found["keys below target"] = np.sum(draws["key"] < draws["target"][:, None], axis=1)
    nodes = [name for name, values in draws.items() if values.ndim == 2 and "A" not in draws]
    for a, b in combinations(nodes, 2):
        one, other = draws[a], draws[b]
        shared = min(one.shape[1], other.shape[1])
        one, other = one[:, :shared], other[:, :shared]
        found[f"{a} times {b}"] = one * other
        found[f"{a} minus {b}"] = np.sort(one - other, axis=1)
        if "x" in (a, b):
            found.update(_point_features(one, other))
    return found


def _point_features(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    areas = np.stack(
        [_cross(x, y, *triple) for triple in combinations(range(x.shape[1]), 3)], axis=1
    )
    return {
        "radius": np.sort(np.hypot(x, y), axis=1),
        "angle": np.arctan2(y, x),
        "least area": np.min(np.abs(areas), axis=1),
        "most area": np.max(np.abs(areas), axis=1),
        "orientation": np.sign(areas[:, :4]),
        "first segments cross": _crosses(x, y),
    }


def _cross(x: np.ndarray, y: np.ndarray, a: int, b: int, c: int) -> np.ndarray:
    return (x[:, b] - x[:, a]) * (y[:, c] - y[:, a]) - (y[:, b] - y[:, a]) * (x[:, c] - x[:, a])


def _crosses(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    apart = _cross(x, y, 0, 1, 2) * _cross(x, y, 0, 1, 3) < 0
    return apart & (_cross(x, y, 2, 3, 0) * _cross(x, y, 2, 3, 1) < 0)


def _string_features(string: np.ndarray, characters: np.ndarray) -> dict[str, np.ndarray]:
    first = int(np.sum(string[0] == 0))
    text, pattern = characters[:, :first], characters[:, first:]
    places = first - pattern.shape[1] + 1
    matches = np.stack(
        [np.all(text[:, s : s + pattern.shape[1]] == pattern, axis=1) for s in range(places)],
        axis=1,
    )
    agreeing = np.stack(
        [np.sum(text[:, s : s + pattern.shape[1]] == pattern, axis=1) for s in range(places)],
        axis=1,
    )
    found = {
        "string": string,
        "character by node": characters,
        "symbols of the first": np.stack([np.sum(text == c, axis=1) for c in range(4)], axis=1),
        "symbols of the second": np.stack([np.sum(pattern == c, axis=1) for c in range(4)], axis=1),
        "matches": np.sum(matches, axis=1),
        "match by place": matches,
        "agreeing by place": agreeing,
        "first match": np.where(matches.any(axis=1), np.argmax(matches, axis=1), -1),
        "equal neighbours": np.sum(text[:, 1:] == text[:, :-1], axis=1),
    }
    return {name: values.reshape(len(values), -1) for name, values in found.items()}


def _graph_features(a: np.ndarray) -> dict[str, np.ndarray]:
    """Features of edges, of paths, and of weights."""
    edge = a != 0
    mutual = edge & np.swapaxes(edge, 1, 2)
    proper = edge & ~np.eye(a.shape[1], dtype=bool)
    number = proper.astype(np.int64)
    reach, joined = _closure(edge), _closure(edge | np.swapaxes(edge, 1, 2))
    edges = np.sum(edge, axis=(1, 2))
    return {
        "degree": np.sum(edge, axis=2),
        "degree in": np.sum(edge, axis=1),
        "degrees in order": np.sort(np.sum(edge, axis=2), axis=1),
        "loops": np.diagonal(edge, axis1=1, axis2=2),
        "edges": edges,
        "mutual edges": np.sum(mutual, axis=(1, 2)),
        "triangles": np.einsum("rij,rjk,rki->r", number, number, number),
        "pairs with a path": np.sum(reach, axis=(1, 2)),
        "pairs on a cycle": np.sum(reach & np.swapaxes(reach, 1, 2), axis=(1, 2)),
        "components": np.sum(1 / np.sum(joined, axis=2), axis=1).round(6),
        "sum of weights": np.sum(a, axis=(1, 2)),
        "sum of squared weights": np.sum(a * a, axis=(1, 2)),
        "weight by node": np.sum(a, axis=2),
        "weights of loops": np.diagonal(a, axis1=1, axis2=2),
        "first weights": a[:, 0],
        "asymmetry": np.sum(np.abs(a - np.swapaxes(a, 1, 2)), axis=(1, 2)),
        "largest weight": np.max(a, axis=(1, 2)),
        "least weight": np.min(np.where(edge, a, np.inf), axis=(1, 2), initial=2.0),
        "share of weights below": np.stack(
            [
                np.sum(edge & (a < limit), axis=(1, 2)) / np.maximum(edges, 1)
                for limit in (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
            ],
            axis=1,
        ),
    }


def _closure(edge: np.ndarray) -> np.ndarray:
    """Which nodes a path leads to, from every node; each node reaches itself."""
    reach = edge | np.eye(edge.shape[1], dtype=bool)
    for k in range(edge.shape[1]):
        reach = reach | (reach[:, :, k, None] & reach[:, None, k, :])
    return reach


def z_of_means(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns how many standard errors apart the means of features are, `[K]`."""
    error = np.sqrt(one.var(axis=0) / len(one) + other.var(axis=0) / len(other))
    apart = np.abs(one.mean(axis=0) - other.mean(axis=0))
    # The constants of both are equal up to rounding, or infinitely far apart.
    same = np.where(apart < 1e-9, 0.0, np.inf)
    return np.divide(apart, error, out=same, where=error > 1e-12)


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns Kolmogorov and Smirnov's distances of features, in units of chance, `[K]`."""
    found = []
    for a, b in zip(one.T, other.T, strict=True):
        values = np.unique(np.concatenate([a, b]))
        below_a = np.searchsorted(np.sort(a), values, side="right") / len(a)
        below_b = np.searchsorted(np.sort(b), values, side="right") / len(b)
        found.append(np.max(np.abs(below_a - below_b)))
    return np.array(found) * np.sqrt(len(one) * len(other) / (len(one) + len(other)))


def differences(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> tuple[list[str], int]:
    """Compares draws; returns what is beyond chance, and how many statistics were looked at."""
    features_one, features_other = features(one), features(other)
    assert list(features_one) == list(features_other)
    found, looked_at = [], 0
    for name, a in features_one.items():
        a, b = a.astype(np.float64).round(6), features_other[name].astype(np.float64).round(6)
        for what, statistic, most in (
            ("mean", z_of_means(a, b), MOST_Z),
            ("distribution", distances(a, b), MOST_DISTANCE),
        ):
            looked_at += len(statistic)
            found += [
                f"{what} of {name} [{k}]: {statistic[k]:.1f} beyond {most:.1f}"
                for k in np.flatnonzero(~(statistic < most))
            ]
    return found, looked_at
