"""What a TransNAR is: the `[model]` table of a training config."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..nar.steps import DEFAULT, Setting
from ..transformer.config import TransformerConfig

Place = Annotated[int, Field(ge=0, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Scale = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """The reasoner, and what tokens are given of it.

    Attributes:
      run: folder of a trained one.
      config: in place of that, the shipped name or `.toml` file of the training config of one that
        is trained first, in the run's own folder.
      overrides: of that config, such as "train.steps=1000".
      data: a data set or recipe that it is trained on; the run's own if left out.
      steps: how many steps it makes: "trace", "bound" or "learned".
      tuned: what of it is trained on: nothing ("frozen", as the paper does), low-rank "adapters" of
        its processor (see `adapters`), its "processor", or "all".
      rank: of the adapters.
      learning_rate_scale: of what is trained on, as a share of the rest's.
      latents: "true", or a control: "shuffled" (those of another row of the batch) or "zeros".
      start: "trained", or "random": a control, a reasoner of the same size that nothing has
        trained.
      computed: when latents are: "step", in each training step; "block", ahead of training, a block
        of rows at a time, so that rows of one algorithm are together; "once", so, and kept in the
        reasoner's folder for the next time (a data set's rows come again, a recipe's do not). But
        for "step" the reasoner must be frozen. Changes no number but by rounding.
    """

    run: Text | None = None
    config: Text | None = None
    overrides: tuple[Text, ...] = ()
    data: Text | None = None
    steps: Setting = DEFAULT
    tuned: Literal["frozen", "adapters", "processor", "all"] = "frozen"
    rank: Count = 8
    learning_rate_scale: Scale = 1.0
    latents: Literal["true", "shuffled", "zeros"] = "true"
    start: Literal["trained", "random"] = "trained"
    computed: Literal["step", "block", "once"] = "block"

    def trains(self, part: str) -> bool:
        """Returns whether a part of the reasoner's own parameters learns, such as "processor"."""
        return self.tuned in ("all", part)

    @property
    def keeps_parameters(self) -> bool:
        """Whether the reasoner's own parameters stay bit for bit what they were."""
        return self.tuned in ("frozen", "adapters")

    @model_validator(mode="after")
    def _is_one(self) -> "Source":
        if (self.run is None) == (self.config is None):
            raise ValueError("nar needs either run, of a trained reasoner, or config, to train one")
        if self.config is None and (self.overrides or self.data):
            raise ValueError("nar.overrides and nar.data are for nar.config, and nar.run is given")
        if self.config is not None and self.start == "random":
            raise ValueError('nar.start = "random" takes the size of nar.run, and trains none')
        return self

    @model_validator(mode="after")
    def _agrees(self) -> "Source":
        if self.computed != "step" and self.tuned != "frozen":
            raise ValueError(
                f"nar.computed {self.computed} is for a frozen reasoner, and nar.tuned is "
                f'{self.tuned}; say computed = "step"'
            )
        return self


class Reading(_Strict):
    """What tokens read of the reasoner's latents, and where.

    Attributes:
      layers: "all", or those that read, counted from 0.
      latents: "both" (of nodes and edges), "nodes" or "edges".
      combine: how what is read of both becomes one: "concatenate" and a linear layer, as the paper
        does, "sum" and a linear layer, or concatenated through an "mlp".
      progressive: whether the t-th of the reading layers reads the reasoner's step at that share of
        its steps, and not its last one.
      gate_learning_rate_scale: of the gates, as a share of the rest's.
    """

    layers: Literal["all"] | tuple[Place, ...] = "all"
    latents: Literal["both", "nodes", "edges"] = "both"
    combine: Literal["concatenate", "sum", "mlp"] = "concatenate"
    progressive: Annotated[bool, Field(strict=True)] = False
    gate_learning_rate_scale: Scale = 1.0

    @field_validator("layers")
    @classmethod
    def _ascends(cls, layers: object) -> object:
        if layers != "all" and (not layers or sorted(set(layers)) != list(layers)):
            raise ValueError(f"layers {list(layers)} must be 'all', or some in ascending order")
        return layers


class TransNarConfig(_Strict):
    """A Transformer whose layers read a reasoner's latents.

    Attributes:
      kind: tells it from other models.
      transformer: of the text.
      nar: of the graph.
      reading: of the one by the other.
    """

    kind: Literal["transnar"] = "transnar"
    transformer: TransformerConfig = TransformerConfig()
    nar: Source
    reading: Reading = Reading()

    @model_validator(mode="after")
    def _agrees(self) -> "TransNarConfig":
        last = self.transformer.num_layers - 1
        for place in self.places:
            if place > last:
                raise ValueError(f"reading.layers has {place}, and the last layer is {last}")
        return self

    @property
    def places(self) -> tuple[int, ...]:
        """The layers that read."""
        layers = self.reading.layers
        return tuple(range(self.transformer.num_layers)) if layers == "all" else layers

    @property
    def shares(self) -> int:
        """At how many shares of its steps the reasoner is read."""
        return len(self.places) if self.reading.progressive else 1
