"""MLflow. Server and experiment are said by MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME."""

import os
import time
import tomllib
from typing import Any

from clrs_text_bench import extras, storage
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import TrackedRun

_EXPERIMENT = "clrs-text-bench"
_URI = "MLFLOW_TRACKING_URI"
_MOST = 100  # params that its interface takes at once


class MLflow:
    """See `protocols.Tracker`."""

    def __init__(self, run: TrackedRun) -> None:
        """Begins the run there, or goes on with it.

        Raises:
          BadInput: if no server is named, or the one that is cannot be used.
        """
        library = extras.load("mlflow", "mlflow", "--track mlflow")
        self._entities = extras.load("mlflow.entities", "mlflow", "--track mlflow")
        uri = os.environ.get(_URI)
        if not uri:
            raise BadInput(
                f"--track mlflow needs the server in {_URI}, such as http://127.0.0.1:5000"
            )
        try:
            self._client = library.MlflowClient(uri)
            self._id = self._began(run)
        except library.MlflowException as error:
            said = str(error).splitlines()[0]
            raise BadInput(f"--track mlflow cannot use {_URI}={uri}: {said}") from error

    def _began(self, run: TrackedRun) -> str:
        """Returns its name for the run, kept in the run's folder."""
        kept = run.folder / "mlflow.txt"
        if run.step and kept.exists():
            found = kept.read_text().strip()
            self._client.update_run(found, status="RUNNING")
            return found
        made = self._client.create_run(self._experiment(), run_name=run.name).info.run_id
        params = [
            self._entities.Param(key, str(value))
            for key, value in _flat(tomllib.loads(run.config)).items()
        ]
        for start in range(0, len(params), _MOST):
            self._client.log_batch(made, params=params[start : start + _MOST])
        storage.write_local(str(kept), f"{made}\n".encode())
        return made

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)

    def log(self, step: int, values: dict[str, float]) -> None:
        """See `protocols.Tracker`."""
        now = int(time.time() * 1000)
        metrics = [self._entities.Metric(key, x, now, step) for key, x in values.items()]
        self._client.log_batch(self._id, metrics=metrics)

    def close(self) -> None:
        """See `protocols.Tracker`."""
        self._client.set_terminated(self._id)


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Returns nested tables' values by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{before}{key}"
        found |= _flat(value, f"{path}.") if isinstance(value, dict) else {path: value}
    return found
