"""Trackers: where else, beside `metrics.jsonl`, a training run can be watched."""
