"""Servers on this machine that speak the protocols of chat models, so that the real clients are what is tested.

One script says what a server does; three dialects say it as OpenAI, Ollama and Anthropic would.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Kind = Literal["say", "refuse", "limit", "break", "cut", "garble", "silent", "hang", "endless", "stall"]


@dataclass
class Script:
    """What a server does with each request: say a text in pieces, or fail in one of the ways that servers do.

    `reply` may be a function of the request's system and user text. What was asked is kept in `asked`.
    """

    reply: str | Callable[[str, str], str] = ""
    kind: Kind = "say"
    piece: int = 7
    asked: list[dict[str, Any]] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)  # set when the test is over
    headers: list[dict[str, str]] = field(default_factory=list)

    def text(self, system: str, user: str) -> str:
        return self.reply if isinstance(self.reply, str) else self.reply(system, user)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.script.asked.append(body)
        self.script.headers.append(dict(self.headers))
        try:
            self._answer(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, body: dict[str, Any]) -> None:
        script = self.script
        system, user = _texts(body)
        if script.kind == "hang":
            script.hanging.wait(60)
            self.close_connection = True
            return
        if script.kind in ("refuse", "limit", "break"):
            status = {"refuse": 401, "limit": 429, "break": 500}[script.kind]
            self._whole(status, json.dumps({"error": {"message": script.kind, "type": script.kind}}).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson" if "/api/" in self.path else "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if script.kind == "garble":
            self._chunk(b'data: {"choices": [{"delta": {"content": "Half\n\ndata: nonsense}\n\n{"message": oops\n')
            self._chunk(b"")
            return
        dialect = _DIALECTS[next(part for part in _DIALECTS if part in self.path)]
        try:
            for line in dialect(self._pieces(system, user), body):
                self._chunk(line.encode())
        except BreaksOffError:
            if script.kind == "stall":
                script.hanging.wait(60)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._chunk(b"")

    def _pieces(self, system: str, user: str) -> Iterator[str]:
        script = self.script
        if script.kind == "endless":
            while not script.hanging.is_set():
                yield "word and more "
            return
        text = "" if script.kind == "silent" else script.text(system, user)
        if script.kind in ("cut", "stall"):
            text = text[: len(text) * 2 // 3]
        yield from (text[i : i + script.piece] for i in range(0, len(text), script.piece))
        if script.kind in ("cut", "stall"):
            raise BreaksOffError

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _whole(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class BreaksOffError(Exception):
    """The server says no more, in the middle of its reply."""


def _texts(body: dict[str, Any]) -> tuple[str, str]:
    said = {"system": body.get("system") or "", "user": ""}
    for message in body["messages"]:
        content = message["content"]
        said[message["role"]] = content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
    system = said["system"]
    return system if isinstance(system, str) else "".join(p.get("text", "") for p in system), said["user"]


def _openai(pieces: Iterator[str], body: dict[str, Any]) -> Iterator[str]:
    def event(delta: dict[str, Any], reason: str | None = None, **more: Any) -> str:
        data = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return f"data: {json.dumps({**data, 'choices': choices, **more})}\n\n"

    yield event({"role": "assistant", "content": ""})
    yield from (event({"content": piece}) for piece in pieces)
    yield event({}, "stop")
    usage = {"prompt_tokens": 1200, "completion_tokens": 60, "total_tokens": 1260}
    yield f"data: {json.dumps({'id': '1', 'object': 'chat.completion.chunk', 'created': 1, 'model': body['model'], 'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _ollama(pieces: Iterator[str], body: dict[str, Any]) -> Iterator[str]:
    about = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z"}
    for piece in pieces:
        yield json.dumps({**about, "message": {"role": "assistant", "content": piece}, "done": False}) + "\n"
    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 1200, "eval_count": 60, "total_duration": 1}
    yield json.dumps({**about, "message": {"role": "assistant", "content": ""}, **end}) + "\n"


def _anthropic(pieces: Iterator[str], body: dict[str, Any]) -> Iterator[str]:
    def event(kind: str, **data: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"

    message = {"id": "m", "type": "message", "role": "assistant", "model": body["model"], "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1200, "output_tokens": 1}}  # fmt: skip
    yield event("message_start", message=message)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for piece in pieces:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    yield event("content_block_stop", index=0)
    yield event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"input_tokens": 1200, "output_tokens": 60},
    )
    yield event("message_stop")


_DIALECTS = {"/chat/completions": _openai, "/api/chat": _ollama, "/v1/messages": _anthropic}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up: some of them are meant to."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def model_server(script: Script) -> Iterator[str]:
    """A server that follows a script; gives its address without a path."""
    handler = type("Handler", (_Handler,), {"script": script})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        script.hanging.set()
        server.shutdown()
        server.server_close()


# How each dialect is set: the model's name, and what its address needs after the server's.
DIALECTS = {"openai": ("openai:test", "/v1"), "ollama": ("ollama:test", ""), "anthropic": ("anthropic:claude-test", "")}
