"""Greedy decoding beside `transformers.generate`, with the same weights, prompts and batch size.

    python benchmarks/decode.py [--answers 256] [--batch 64] [--most 128]

A GPT-NeoX of random weights answers questions of the recipe transnar-cpu. Its end token is made
likely enough that answers end anywhere up to the most tokens. Theirs are given in order of length,
padded on the left, in batches; ours as they come. Both are warmed up. The last line says how many
answers agree: float32 rounds differently in the two, and two tokens can be as likely.

Then a TransNAR of config transnar-cpu beside the Transformer that it has in it, both of random
weights. Its gates are shut, so that both write the same answers and the ratio is of the work alone.
What is done once for each answer is told apart: reading its graph, and executing it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from flax import nnx
from rich.table import Table
from untrained import build, drawn

from clrs_text_bench import recipes, terminal, tokenizers, validation
from clrs_text_bench.generators import stream
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.transformer import huggingface
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.decoding import Decoder, Prompt
from clrs_text_bench.models.transformer.network import Transformer

_SIZES = {
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "intermediate_size": 768,
    "max_position_embeddings": 1024,
}
_LIKELY = 3.0


def peer(vocab_size: int, end_id: int):
    """Returns a GPT-NeoX of `transformers` whose answers end now and then."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(0)
    config = GPTNeoXConfig(
        **_SIZES, vocab_size=vocab_size, eos_token_id=end_id, pad_token_id=0, initializer_range=0.1
    )
    model = GPTNeoXForCausalLM(config).eval()
    with torch.no_grad():
        model.get_output_embeddings().weight[end_id] *= _LIKELY
    return model


def ours(folder: Path, batch: int, most: int, end_id: int) -> Callable[[list], list[list[int]]]:
    """Returns our decoding of a folder's model."""
    values = huggingface.model_of(folder) | {"max_answer": most}
    config = validation.build(TransformerConfig, values, str(folder))
    params = huggingface.read(folder, config, config.vocab_size).params
    model = nnx.eval_shape(lambda: Transformer(config, config.vocab_size, nnx.Rngs(0)))
    graph, state = nnx.split(model)
    nnx.replace_by_pure_dict(state, params)
    decoder = Decoder(graph, config, end_id, batch)

    def answer(prompts: list[np.ndarray]) -> list[list[int]]:
        found = decoder.decode(state, [Prompt(prompt) for prompt in prompts])
        return [completion.tokens.tolist() for completion in found]

    return answer


def theirs(model, batch: int, most: int, end_id: int) -> Callable[[list], list[list[int]]]:
    """Returns their decoding of the same."""
    import torch

    def answer(prompts: list[np.ndarray]) -> list[list[int]]:
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        found: list[list[int]] = [[]] * len(prompts)
        for start in range(0, len(order), batch):
            members = order[start : start + batch]
            longest = max(len(prompts[i]) for i in members)
            ids = torch.zeros(len(members), longest, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, i in enumerate(members):
                ids[row, longest - len(prompts[i]) :] = torch.tensor(prompts[i])
                mask[row, longest - len(prompts[i]) :] = 1
            with torch.no_grad():
                whole = model.generate(
                    ids, attention_mask=mask, max_new_tokens=most, do_sample=False
                )
            for row, i in enumerate(members):
                written = whole[row, longest:].tolist()
                found[i] = written[: written.index(end_id)] if end_id in written else written
        return found

    return answer


def hybrid(rows: pa.Table, most: int) -> tuple[Table, float]:
    """Returns what a TransNAR and its Transformer take to answer, and the ratio of the two."""
    config = configs.load("transnar-cpu", (f"model.transformer.max_answer={most}",))
    trainable = build(config, "nar-cpu")
    params, end = drawn(trainable), trainable.text.tokenizer.end_id
    params["transformer"]["embedding"]["embedding"][end] *= _LIKELY
    for reader in params["readers"].values():
        reader["gate"] = np.zeros((), np.float32)
    reasoner = trainable.reasoner.trainable
    asked = reasoner.requests.rows(rows)
    plain, alone = _timed(lambda x: trainable.text.answer(params["transformer"], x), rows)
    found, whole = _timed(lambda x: trainable.answer(params, x), rows)
    if not found["prediction"].equals(plain["prediction"]):
        raise AssertionError("with shut gates a TransNAR wrote other answers")
    _, reading = _timed(reasoner.requests, rows)
    _, executing = _timed(lambda x: reasoner.latents(params["nar"], x), asked)
    report = Table("", "seconds", "of it, programs that read and write text", "answers/s")
    for name, took, table in (("Transformer", alone, plain), ("TransNAR", whole, found)):
        programs = sum(table["seconds"].to_pylist())
        report.add_row(name, f"{took:.2f}", f"{programs:.2f}", f"{len(rows) / took:.0f}")
    report.add_row("reading graphs", f"{reading:.2f}", "", "")
    report.add_row("executing them", f"{executing:.2f}", "", "")
    return report, whole / alone


def _timed(answer: Callable, asked: object) -> tuple:
    answer(asked)
    start = time.perf_counter()
    found = answer(asked)
    return found, time.perf_counter() - start


@click.command()
@click.option("--answers", default=256, show_default=True)
@click.option("--batch", default=64, show_default=True)
@click.option("--most", default=128, show_default=True, help="Most tokens of an answer.")
def main(answers: int, batch: int, most: int) -> None:
    tokenizer = tokenizers.get("compact")
    rows = next(stream(recipes.load("transnar-cpu"), answers))
    prompts = [tokenizer.encode(q) for q in rows["question"].to_pylist()]
    model = peer(tokenizer.vocab_size, tokenizer.end_id)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        own = ours(Path(folder), batch, most, tokenizer.end_id)
    found, seconds = _timed(own, prompts)
    expected, peers = _timed(theirs(model, batch, most, tokenizer.end_id), prompts)
    lengths = [len(answer) for answer in found]
    report = Table("", "seconds", "answers/s", "tokens/s")
    for name, took in (("clrs-text-bench", seconds), ("transformers.generate", peers)):
        report.add_row(name, f"{took:.2f}", f"{answers / took:.0f}", f"{sum(lengths) / took:,.0f}")
    terminal.output().print(report)
    same = np.mean([a == b for a, b in zip(found, expected, strict=True)])
    print(f"transformers / ours: {peers / seconds:.2f}; {same:.1%} of the answers are the same")
    print(f"tokens of an answer: {min(lengths)} to {max(lengths)}, median {np.median(lengths):.0f}")
    report, ratio = hybrid(rows, most)
    terminal.output().print(report)
    print(f"TransNAR / Transformer: {ratio:.2f}")


if __name__ == "__main__":
    main()
