"""Other harnesses' logs, read into predictions.

entries.py       what a log says of one sample
reading.py       which kind of log a file is
lm_eval.py       lm-evaluation-harness's sample logs
inspect_logs.py  Inspect's .eval and .json logs
plain.py         JSON lines of anyone's
joining.py       which sample of a data set is meant
importing.py     all of it together, and cli.py the command
"""
