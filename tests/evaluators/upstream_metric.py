"""`clrs.evaluate` on outputs in catalogue form: the reference of the metric."""

import numpy as np


def points(task, outputs):
    """Returns outputs, `[rows, ...]` by probe, as upstream's data points.

    An order is a permutation and a mask of its first node, as upstream evaluates it.
    """
    import clrs
    from clrs._src import probing

    found = []
    for probe in task.stage("output"):
        x = outputs[probe.name]
        if probe.type != "should_be_permutation":
            location, kind = clrs.SPECS[task.name][probe.name][1:]
            found.append(probing.DataPoint(name=probe.name, location=location, type_=kind, data=x))
            continue
        n = x.shape[1]
        first = (x == np.arange(n)).astype(np.float32)
        for name, kind, data in (
            # A first node's pointer is read off the mask alone.
            (probe.name, clrs.Type.PERMUTATION_POINTER, np.eye(n)[x.astype(int)]),
            (f"{probe.name}_mask", clrs.Type.MASK_ONE, first),
        ):
            found.append(
                probing.DataPoint(name=name, location=clrs.Location.NODE, type_=kind, data=data)
            )
    return tuple(found)


def evaluate(task, true, predicted):
    """Returns upstream's score of predicted outputs against true ones."""
    import clrs

    return clrs.evaluate(points(task, true), {p.name: p for p in points(task, predicted)})["score"]
