"""dm-clrs as its users call it: the samples and texts that everything else is held against."""

import functools


@functools.cache
def samples(algorithm, length, seed=0, count=4):
    """Returns the first samples of upstream's stream."""
    import clrs

    sampler, _ = clrs.build_sampler(
        algorithm,
        seed=seed,
        num_samples=-1,
        length=length,
        track_max_steps=False,
        use_padding=False,
        truncate_decimals=3,
    )
    return [sampler.next(batch_size=1) for _ in range(count)]


def text(algorithm, sample, use_hints):
    """Returns upstream's question and answer."""
    from clrs._src.clrs_text import clrs_utils

    return clrs_utils.format_clrs_example(algorithm, sample, use_hints=use_hints)


def inputs(sample):
    return {p.name: p.data[0] for p in sample.features.inputs}


def outputs(sample):
    return {p.name: p.data[0] for p in sample.outputs}


def hints(sample):
    return {p.name: p.data[:, 0] for p in sample.features.hints}
