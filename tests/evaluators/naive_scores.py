"""A plain, slow scorer written from the rules alone, beside the compiled one.

It shares nothing with the compiled one but the task catalogue.
"""

import re
from decimal import Decimal, InvalidOperation

from clrs_text_bench import tasks

END_OF_TEXT = "<|endoftext|>"
SPACE = " \t\n\r\v\f"
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def score(algorithm, length, prediction, truth, use_hints=False, extraction="strict"):
    """Returns (shape, parse, clrs, exact, trace_share, first_wrong_step)."""
    task = tasks.get(algorithm)
    if extraction == "lenient":
        prediction = _lenient(task, prediction, use_hints)
    answer, true_answer = _answer(prediction), _answer(truth)
    parenthesised = task.in_parentheses(use_hints)
    share, wrong = None, None
    final, true_final = answer, true_answer
    if task.has_trace(use_hints):
        trace, final = _split(answer)
        true_trace, true_final = _split(true_answer)
        per_step = 1 if parenthesised else len(task.step_parts())
        share, wrong = _trace_scores(
            _steps(trace, parenthesised, per_step), _steps(true_trace, parenthesised, per_step)
        )
        if not answer.strip(SPACE):
            share = 0.0
    tokens = _tokens(final, parenthesised)
    kinds = _expected(task, length, use_hints)
    shape = [_kind(token, parenthesised) for token in tokens] == kinds
    parse = bool(final.strip(SPACE)) and all(c in _legal(task, use_hints) for c in final)
    clrs = 0.0
    if shape:
        pairs = list(zip(tokens, _tokens(true_final, parenthesised), strict=True))
        atoms = [pair for pair, kind in zip(pairs, kinds, strict=True) if kind == "atom"]
        clrs = sum(_equal(a, b) for a, b in atoms) / len(atoms)
    exact = float(shape and parse and clrs == 1)
    return float(shape), float(parse), clrs, exact, share, wrong


def _answer(text):
    text = text.split(END_OF_TEXT)[0]
    return re.split(r"\n[ \t\r]*\n", text)[0]


def _split(answer):
    trace, bar, final = answer.rpartition("|")
    return (trace, final) if bar else ("", answer)


def _tokens(text, parenthesised):
    brackets = r"\[\]()" if parenthesised else r"\[\]"
    return re.findall(rf"[{brackets}]|[^{brackets}{SPACE},]+", text)


def _kind(token, parenthesised):
    return token if token in ("[]()" if parenthesised else "[]") else "atom"


def _expected(task, length, use_hints):
    n = task.n_nodes(length)
    row = ["[", *["atom"] * n, "]"]
    by_rank = {0: ["atom"], 1: row, 2: ["[", *row * n, "]"]}
    kinds = [kind for part in task.answer_parts(use_hints) for kind in by_rank[part.rank]]
    return ["(", *kinds, ")"] if task.in_parentheses(use_hints) else kinds


def _legal(task, use_hints):
    legal = "0123456789-[]," + SPACE
    if any(part.decimals for part in task.answer_parts(use_hints)):
        legal += "."
    return legal + "()" if task.in_parentheses(use_hints) else legal


def _number(text):
    """Returns the exact value, or None; text that Decimal has no room for stands for itself."""
    if not NUMBER.fullmatch(text):
        return None
    mantissa = re.split("[eE]", text)[0]
    if not mantissa.strip("+-0."):
        return Decimal(0)
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _equal(a, b):
    return _number(a) is not None and _number(a) == _number(b)


def _steps(trace, parenthesised, per_step):
    items, item, depth = [], [], 0
    for token in _tokens(trace, parenthesised):
        item.append(token)
        kind = _kind(token, parenthesised)
        if kind in ("[", "("):
            depth += 1
        elif kind in ("]", ")"):
            depth = max(depth - 1, 0)
        if depth == 0:
            items.append(item)
            item = []
    if item:
        items.append(item)
    return [sum(items[i : i + per_step], []) for i in range(0, len(items), per_step)]  # noqa: RUF017


def _trace_scores(steps, true_steps):
    total = max(len(steps), len(true_steps))
    if total == 0:
        return 1.0, None
    verdicts = [_same_step(a, b) for a, b in zip(steps, true_steps, strict=False)]
    verdicts += [False] * (total - len(verdicts))
    return sum(verdicts) / total, verdicts.index(False) if False in verdicts else None


def _same_step(step, true_step):
    return len(step) == len(true_step) and all(
        (a == b) if a in "[]()" or b in "[]()" else _equal(a, b)
        for a, b in zip(step, true_step, strict=True)
    )


def _lenient(task, completion, use_hints):
    """Returns the last well-formed answer of a completion, or the completion."""
    parenthesised = task.in_parentheses(use_hints)
    tokens = _lenient_tokens(completion, parenthesised)
    match = _matches(tokens, parenthesised)
    parts = task.answer_parts(use_hints)
    inside = [_inside_square(k, tokens, match) for k in range(len(tokens))]
    for stop in range(len(tokens), 0, -1):
        for first in range(stop - 1, -1, -1):
            if inside[first] or inside[stop - 1]:
                continue
            window = tokens[first:stop]
            if parenthesised:
                if window[0] != "(" or match.get(first) != stop - 1:
                    continue
                window = window[1:-1]
            if _is_answer(window, parts):
                return _with_trace(task, use_hints, tokens, match, first, stop)
    return completion


def _lenient_tokens(text, parenthesised):
    text = text.split(END_OF_TEXT)[0]
    # Longer names are sizes or wrappers before a bracket, words elsewhere (written as "=").
    text = re.sub(
        r"\\([A-Za-z]+|[\x00-\x7f]|)(?=(.?))",
        lambda m: " " if len(m[1]) < 2 or (m[2] and m[2] in "{}[]()") else " = ",
        text,
        flags=re.DOTALL,
    )
    text = re.sub("[,*`$\"'{}&]", " ", text)
    breaks = "=:;<>|" + ("" if parenthesised else "()")
    brackets = "[]()" if parenthesised else "[]"
    tokens = []
    single = re.escape(breaks + brackets)
    for atom in re.findall(rf"[{single}]|[^{single}{SPACE}]+", text):
        bare = atom.lstrip("_").rstrip("_.!?")
        if atom.strip("_"):
            tokens.append(bare or atom)
    return tokens


def _matches(tokens, parenthesised):
    """Returns the places of brackets that have a counterpart, both ways."""
    match, stack = {}, []
    for k, token in enumerate(tokens):
        kind = _kind(token, parenthesised)
        if kind in ("[", "("):
            stack.append(k)
        elif kind in ("]", ")") and stack and tokens[stack[-1]] + token in ("[]", "()"):
            match[k] = stack.pop()
            match[match[k]] = k
    return match


def _inside_square(k, tokens, match):
    return any(tokens[i] == "[" and i < k < j for i, j in match.items())


def _is_answer(window, parts):
    """Returns whether tokens are the parts of an answer, of any size, side by side."""
    window = list(window)
    for part in parts:
        size = _value_size(window, part.rank, part.decimals)
        if size == 0:
            return False
        del window[:size]
    return not window


def _value_size(window, rank, decimals):
    """Returns how many tokens a value of this rank takes at the front; 0 if none stands there."""
    if rank == 0:
        return int(bool(window) and _fits(window[0], decimals))
    if not window or window[0] != "[":
        return 0
    size, sizes = 1, []
    while size < len(window) and window[size] != "]":
        sizes.append(_value_size(window[size:], rank - 1, decimals))
        if sizes[-1] == 0:
            return 0
        size += sizes[-1]
    return size + 1 if size < len(window) and len(set(sizes)) == 1 else 0


def _fits(token, decimals):
    value = _number(token)
    if value is None:
        return False
    if decimals:
        return True
    whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return whole or (isinstance(value, str) and "e-" not in value.lower())


def _with_trace(task, use_hints, tokens, match, first, stop):
    answer = " ".join(tokens[first:stop])
    if not task.has_trace(use_hints):
        return answer
    opened = {j: i for i, j in match.items() if i < j}
    bar = first - 1
    while bar >= 0 and tokens[bar] != "|":
        bar = opened.get(bar, bar) - 1
    if bar < 0:
        return answer
    run = bar
    while run > 0 and (NUMBER.fullmatch(tokens[run - 1]) or run - 1 in opened):
        run = opened.get(run - 1, run - 1)
    return " ".join(tokens[run:bar]) + " | " + answer
