"""A trained TransNAR that answers questions whose graphs it has."""

from pathlib import Path

from clrs_text_bench import tokenizer_json
from clrs_text_bench.errors import BadInput

from ..trained import TrainedModel
from ..training import checkpoint, record
from ..training.compilation import cache_programs
from ..transformer.model import sampled_settings
from ..transformer.sampling import split
from .reasoner import FILE, of_folder
from .trainable import TrainableTransNar


def load(argument: str) -> TrainedModel:
    """Loads the best checkpoint of a training run.

    Args:
      argument: the run's folder, and after `?` how to sample, as in `transformer.model.load`.

    Raises:
      BadInput: if an option is wrong, there is no such run, it is of another model, its checkpoint
        is missing or cut short, or its reasoner is another than it was trained with.
    """
    folder, sampling = split(argument)
    if not folder:
        raise BadInput("transnar needs a run, such as transnar:runs/a")
    run = Path(folder)
    cache_programs()
    found = record.read(run)
    config = found.config.model
    if config.kind != "transnar":
        raise BadInput(f"run {run} is of a {config.kind}, not of a transnar")
    if (run / tokenizer_json.FILE).exists():
        text = {"tokenizer": str(run / tokenizer_json.FILE)}
        config = config.model_copy(
            update={"transformer": config.transformer.model_copy(update=text)}
        )
    train, reasoner = found.config.train, of_folder(run, config.nar)
    if reasoner.described.hash != found.model["nar"]:
        raise BadInput(
            f"{run / FILE} tells of another reasoner than run {run} was trained with; train it "
            "again"
        )
    trainable = TrainableTransNar(
        config, reasoner, seed=train.seed, loss=train.loss, sampling=sampling
    )
    record.check(run, found, trainable.record())
    kept = checkpoint.best(run, trainable.shapes())
    own = checkpoint.tree_hash(kept.state["nar"])
    if config.nar.tuned == "frozen" and own != found.model["nar"]:
        raise BadInput(f"run {run} holds another reasoner than it was trained with; train it again")
    settings = {
        **sampled_settings(run, config.transformer, trainable.text, sampling),
        "use_hints": found.use_hints,
        "nar": own,
        "processor": found.model["processor"],
        "steps": config.nar.steps,
        "latents": config.nar.latents,
    }
    return TrainedModel(trainable, found, kept, settings)
