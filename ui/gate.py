"""What the server lets in and what the browser may do with what it gets out."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, MutableMapping
from secrets import compare_digest
from typing import Any, NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import UserError

LARGEST_BODY = 1 << 20
NEAR = ("127.0.0.1", "::1", "localhost")

OPEN = re.compile(
    r"/(?:|healthz?|reader|view/\w+|export/\w+|feedback|filters|conversations/\w*|(?:page|conversations|evaluation|more)\.(?:js|css)|evaluation/[\w-]+(?:/[\w.-]+)?"
    r"|config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|(?:assets|static)/.*|gradio_api/(?:info/?|openapi\.json|startup-events|app_id/?|theme\.css|reset/?|cancel"
    r"|queue/(?:join|data)|heartbeat/\w+|call/(?:v2/)?(?:ask|search)(?:/\w*)?|mcp(?:/.*)?))"
)
"""The only paths that are answered: what the page, the API and MCP need. All else of Gradio is closed."""

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; media-src 'none'; object-src 'none'; worker-src 'none'; "
    "frame-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_SCRIPT = re.compile(rb"<script(?:\s+data-[\w-]+)?>(.*?)</script>", re.DOTALL)
_HERE = re.compile(rb"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?", re.IGNORECASE)
_FOREIGN = re.compile(rb"\s*<meta\s+(?:property|name)=\"(?:og|twitter):[^>]*/>")
_HEAD = (
    b'<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="./page.css">'
    b'<script src="./page.js"></script><script src="./conversations.js"></script>'
)


def is_near(host: str) -> bool:
    """Whether only this machine can reach an address to listen on.

    >>> is_near("127.0.0.1"), is_near("0.0.0.0"), is_near("")
    (True, False, False)
    """
    return host in NEAR or host.startswith("127.")


class Login(NamedTuple):
    """Who may come in: whoever has one of these names and passwords, or whom a proxy names in a header."""

    passwords: tuple[str, ...] = ()
    header: str = ""

    @classmethod
    def read(cls, auth: str) -> Login | None:
        """Read `NAME:PASSWORD` (several with a space between) or `header:NAME`; None for "" and "none".

        Raises UserError for anything else.
        """
        if auth in ("", "none"):
            return None
        kind, _, rest = auth.partition(":")
        if kind == "header" and rest:
            return cls(header=rest.strip().lower())
        pairs = tuple(auth.split())
        if not all(0 < pair.find(":") < len(pair) - 1 for pair in pairs):
            raise UserError("BPO_AUTH: expected NAME:PASSWORD, header:NAME or none.")
        return cls(passwords=pairs)

    def who(self, headers: Mapping[bytes, bytes]) -> str:
        """Give the name of who sent a request, "" for nobody; compared in a time that tells nothing."""
        if self.header:
            return headers.get(self.header.encode(), b"").strip().decode("latin-1")  # no two names become one
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        try:
            given = base64.b64decode(token, validate=True) if kind.lower() == b"basic" else b""
        except ValueError:
            given = b""
        found = [pair.partition(":")[0] for pair in self.passwords if compare_digest(given, pair.encode())]
        return found[0] if found else ""


class Gate:
    """Closes what is not needed, limits what is sent, and adds the frame and the safe headers to answers."""

    def __init__(self, app: ASGIApp, frame: str, login: Login | None = None) -> None:
        self._app = app
        self._login = login
        self._head = _HEAD + frame.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        name = self._login.who(dict(scope["headers"])) if self._login else ""
        scope.setdefault("state", {})["owner"] = name
        refusal = self._unknown(scope, name) or _refused(scope)
        if refusal:
            await _drain(receive)
            await refusal(scope, receive, _with_headers(send))
        elif scope["path"] == "/":
            await self._page(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _unknown(self, scope: Scope, name: str) -> PlainTextResponse | None:
        """Refuse whoever has not logged in; only whether the server lives can be asked without.

        Where nobody logs in, what belongs to one person is for who sits at this machine.
        """
        if self._login is None:
            near = not _is_private(scope["path"]) or _names_this_machine(scope)
            return None if near else PlainTextResponse("Only for this machine", 403)
        if name or scope["path"] == "/healthz":
            return None
        asks = {} if self._login.header else {"www-authenticate": 'Basic realm="bpo", charset="UTF-8"'}
        return PlainTextResponse("Log in to see this page. · Inicie sesión para ver esta página.", 401, asks)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put our frame into the head of Gradio's page, and the hashes of its scripts into the policy."""
        headers = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        plain = {**scope, "query_string": b"", "headers": headers}
        start: MutableMapping[str, Any] = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                page = _FOREIGN.sub(b"", bytes(body)).replace(b"</head>", self._head + b"</head>", 1)
                headers = MutableHeaders(raw=start["headers"])
                headers["content-length"] = str(len(page))
                headers["content-security-policy"] = POLICY.format(scripts=_hashes(page))
                headers["cache-control"] = "no-cache"
                await out(start)
                await out({"type": "http.response.body", "body": page})

        out = _with_headers(send)
        await self._app(plain, receive, collect)


async def _drain(receive: Receive) -> None:
    """Read what a refused client still sends, up to a limit, so that it comes to read the answer."""
    left = 16 * LARGEST_BODY
    more = True
    while more and left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        more = message.get("more_body", False)


def _refused(scope: Scope) -> PlainTextResponse | None:
    if not OPEN.fullmatch(scope["path"]):
        return PlainTextResponse("Not found", 404)
    writes = scope["path"] == "/feedback" or (_is_private(scope["path"]) and scope["method"] not in ("GET", "HEAD"))
    if writes and dict(scope["headers"]).get(b"content-type") != b"application/json":
        return PlainTextResponse("Expected JSON", 415)  # another site's form cannot send it
    if scope["method"] in ("POST", "PUT", "PATCH"):
        length = dict(scope["headers"]).get(b"content-length", b"")
        if not length.isdigit():
            return PlainTextResponse("Length required", 411)
        if int(length) > LARGEST_BODY:
            return PlainTextResponse("Larger than 1 MiB", 413)
    return None


def _is_private(path: str) -> bool:
    """Whether what is there belongs to one person."""
    return path.startswith("/conversations/")


def _names_this_machine(scope: Scope) -> bool:
    """Whether a request says that it is for this machine: another site's own name can point here, and its page read."""
    return _HERE.fullmatch(dict(scope["headers"]).get(b"host", b"")) is not None


def _with_headers(send: Send) -> Send:
    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("content-security-policy", POLICY.format(scripts=""))
        await send(message)

    return out


def _hashes(page: bytes) -> str:
    digests = (base64.b64encode(hashlib.sha256(s).digest()).decode() for s in _SCRIPT.findall(page))
    return "".join(f" 'sha256-{digest}'" for digest in digests)
