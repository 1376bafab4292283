"""Processes that find each other before JAX joins them.

JAX aborts a process, with no word that can be caught, if another one does not come. So all say who
they are at the coordinator's port first: what does not fit, or is missing, is a sentence.
"""

import contextlib
import json
import socket
import time

from clrs_text_bench.errors import BadInput

_RETRY = 0.2  # seconds
_MOST = 1024  # bytes of a message


def meet(coordinator: str, processes: int, process: int, timeout: float) -> None:
    """Returns once all processes are there.

    Args:
      coordinator: HOST:PORT of process 0.
      processes: how many there are.
      process: which of them this is, from 0.
      timeout: seconds to wait for the others.

    Raises:
      BadInput: if they are not there in time, or do not fit together.
    """
    host, _, port = coordinator.rpartition(":")
    until = time.monotonic() + timeout
    if process == 0:
        _receive(int(port), processes, until)
    else:
        _report(host.strip("[]"), int(port), {"process": process, "processes": processes}, until)


def _receive(port: int, processes: int, until: float) -> None:
    """Waits until all others have reported; tells them whether all is well."""
    missing = set(range(1, processes))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_server(port))
        waiting = []
        while missing:
            server.settimeout(max(_RETRY, until - time.monotonic()))
            try:
                connection = stack.enter_context(server.accept()[0])
                connection.settimeout(max(_RETRY, until - time.monotonic()))
                reported = _read(connection)
            except TimeoutError:
                named = ", ".join(map(str, sorted(missing)))
                raise BadInput(
                    f"of {processes} processes, {named} did not come to port {port} in time; start "
                    "them all, or raise --connect-timeout"
                ) from None
            if reported is None:
                continue
            waiting.append(connection)
            if wrong := _wrong(reported, processes, missing):
                for connection in waiting:
                    _write(connection, {"wrong": wrong})
                raise BadInput(wrong)
            missing.remove(reported["process"])
        for connection in waiting:
            _write(connection, {"wrong": None})


def _server(port: int) -> socket.socket:
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        raise BadInput(
            f"port {port} of --coordinator cannot be used: {error.strerror}; choose another"
        ) from error


def _wrong(reported: dict, processes: int, missing: set[int]) -> str | None:
    """Says what does not fit in what a process reports."""
    process = reported["process"]
    if reported["processes"] != processes:
        return (
            f"process 0 has --processes {processes}, process {process} has "
            f"{reported['processes']}; give all the same"
        )
    if process not in missing:
        return f"two processes have --process {process}; give each its own"
    return None


def _report(host: str, port: int, message: dict, until: float) -> None:
    """Says who this is to process 0, as soon as it answers, and waits for its word."""
    began = time.monotonic()
    reason = "no answer"
    while time.monotonic() < until:
        left = max(_RETRY, until - time.monotonic())
        try:
            with socket.create_connection((host, port), timeout=left) as connection:
                _write(connection, message)
                told = _read(connection)
        except OSError as error:
            reason, told = error.strerror or str(error), None
        if told is not None:
            if told["wrong"]:
                raise BadInput(told["wrong"])
            return
        time.sleep(_RETRY)
    raise BadInput(
        f"no process 0 answers at --coordinator {host}:{port} within {until - began:.0f} s "
        f"({reason}); start it there, or raise --connect-timeout"
    )


def _write(connection: socket.socket, message: dict) -> None:
    with contextlib.suppress(OSError):  # whoever is gone will be missed
        connection.sendall(json.dumps(message).encode() + b"\n")


def _read(connection: socket.socket) -> dict | None:
    """Returns one message; None if there is none, as from a stranger."""
    found = b""
    while not found.endswith(b"\n") and len(found) < _MOST:
        more = connection.recv(_MOST)
        if not more:
            return None
        found += more
    try:
        message = json.loads(found)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
