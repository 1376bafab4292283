"""An OpenAI-compatible server on the loopback that fails as it is told.

What it does with a request is a function of the request's number (from 0) and its body:
None to answer it, or a fault: a status, "drop", "hang", "half", "html", or bytes to reply with.
"""

import contextlib
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-secret-0123456789"


class Server(ThreadingHTTPServer):
    """Counts what it is asked.

    Attributes:
      asked: the bodies, in order of arrival, with `path`, `at` (seconds) and `key`.
      answered: how often each prompt was answered.
      most_at_once: requests that were under way at a time.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer, fault=lambda number, body: None, headers=None, delay=0.0):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.fault, self.headers, self.delay = answer, fault, headers or {}, delay
        self.asked, self.answered = [], Counter()
        self.lock, self.closing = threading.Lock(), threading.Event()
        self.under_way = self.most_at_once = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address):
        """A client that went away is no error here."""


def prompt_of(body):
    return body["prompt"] if "prompt" in body else body["messages"][-1]["content"]


def reply(body, text, **change):
    chat = "messages" in body
    said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return {
        "id": "x",
        "model": "tiny-2026",
        "choices": [{"index": 0, "finish_reason": "stop"} | said],
        "usage": {"prompt_tokens": len(prompt_of(body)), "completion_tokens": len(text)},
    } | change


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        """Says nothing."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            number = len(server.asked)
            key = self.headers.get("Authorization")
            server.asked.append(body | {"path": self.path, "at": time.monotonic(), "key": key})
            server.under_way += 1
            server.most_at_once = max(server.most_at_once, server.under_way)
        try:
            server.closing.wait(server.delay)
            self._answer(server.fault(number, body), body)
        finally:
            with server.lock:
                server.under_way -= 1

    def _answer(self, fault, body):
        good = json.dumps(reply(body, self.server.answer(prompt_of(body)))).encode()
        if fault is None:
            with self.server.lock:
                self.server.answered[prompt_of(body)] += 1
            self._send(200, good)
        elif isinstance(fault, int):
            said = {"error": {"message": f"no \x1b[2J {self.headers.get('Authorization')}"}}
            self._send(fault, json.dumps(said).encode(), **self.server.headers)
        elif isinstance(fault, bytes):
            self._send(200, fault)
        elif fault == "html":
            self._send(200, b"<html>sign in</html>", **{"Content-Type": "text/html"})
        elif fault == "half":
            self._send(200, good[: len(good) // 2])
        elif fault == "cut":
            self._send(200, good, stop=len(good) // 2)
        elif fault == "hang":
            self.server.closing.wait(60)
        else:
            assert fault == "drop"
            self.close_connection = True

    def _send(self, status, data, stop=None, **headers):
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:stop])
        self.close_connection = stop is not None


@contextlib.contextmanager
def serving(answer, **how):
    server = Server(answer, **how)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
