"""dm-clrs's network on our rows: the reference of the reasoner."""

import clrs
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from clrs._src import losses, nets, probing, processors

from clrs_text_bench.models.nar import layout as layouts


def spec(task):
    """Returns a task's spec as upstream changes it for training."""
    found = dict(clrs.SPECS[task.name])
    if any(source.name == "pred" and source.stage == "input" for source in layouts.sources(task)):
        found, _ = clrs.process_pred_as_input(found, iter(()))
    found, _ = clrs.process_permutations(found, iter(()), enforce_permutations=True)
    return found


def features(task, rows):
    """Returns rows of one size as upstream's features and true outputs."""
    points = {"input": [], "hint": [], "output": []}
    longest = max(len(next(iter(row.probes["hint"].values()))) for row in rows)
    for name, (stage, location, kind) in spec(task).items():
        data = [row.probes[stage][name] for row in rows]
        if kind == clrs.Type.PERMUTATION_POINTER:
            data = [np.eye(len(x), dtype=np.float32)[x] for x in data]
        if stage == "hint":
            padded = [
                np.concatenate([x, np.zeros((longest - len(x), *x.shape[1:]), x.dtype)])
                for x in data
            ]
            data = np.stack(padded, axis=1)
        else:
            data = np.stack(data)
        points[stage].append(
            probing.DataPoint(name=name, location=location, type_=kind, data=jnp.asarray(data))
        )
    lengths = np.array([len(next(iter(row.probes["hint"].values()))) for row in rows])
    inputs, hints = tuple(points["input"]), tuple(points["hint"])
    return clrs.Features(inputs=inputs, hints=hints, lengths=lengths), points["output"]


def net(layout, hidden_dim, triplet_dim, *, forced=False):
    """Returns upstream's network for a layout's algorithms, as a Haiku transform.

    Called with (a list of features, algorithm's place), it returns outputs and hints of each step.
    Hints are fed back as in training, but orders are decoded without noise, as in evaluation. If
    forced, every step reads the true hints, and orders are decoded with noise.
    """
    specs = [spec(task) for task in layout.tasks]
    dims = [
        {source.name: source.n_classes for source in layouts.sources(task)} for task in layout.tasks
    ]
    factory = processors.get_processor_factory(
        "triplet_gmpnn", use_ln=True, nb_triplet_fts=triplet_dim, nb_heads=1
    )

    def apply(some, place):
        return nets.Net(
            specs,
            hidden_dim,
            encode_hints=True,
            decode_hints=True,
            processor_factory=factory,
            use_lstm=False,
            encoder_init="xavier_on_scalars",
            dropout_prob=0.0,
            hint_teacher_forcing=float(forced),
            nb_dims=dims,
        )(
            some,
            repred=not forced,
            algorithm_index=place,
            return_hints=True,
            return_all_outputs=False,
        )

    return hk.transform(apply)


def loss(params, transform, one, outputs, place, n):
    """Returns the loss of one algorithm's rows, as `BaselineModel._loss` sums it."""
    output_preds, hint_preds = transform.apply(params, jax.random.key(0), [one], place)
    total = sum(losses.output_loss(x, output_preds[x.name], n) for x in outputs)
    return total + sum(
        losses.hint_loss(x, [step[x.name] for step in hint_preds], one.lengths, n)
        for x in one.hints
    )


def init(transform, key, some):
    """Draws the parameters of all algorithms, given features of each."""
    return transform.init(key, some, -1)


def of_one(tree, place):
    """Returns the parameters that an algorithm uses, as those of a network of it alone."""
    found = {}
    for module, parameters in tree.items():
        scope, _, name = module.rpartition("/")
        if name.startswith("algo_"):
            if not name.startswith(f"algo_{place}_"):
                continue
            name = name.replace(f"algo_{place}_", "algo_0_", 1)
        found[f"{scope}/{name}"] = parameters
    return found
