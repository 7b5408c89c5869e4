"""A web server on 127.0.0.1 that can misbehave as servers do."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Server:
    """Serves ``files`` by path; each request takes the next of ``faults``, then none.

    Faults: `drop` (half of the body), `stall`, `nothing` (no answer), or a status code.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[str | int] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    resumable: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def serve_repository(self, name: str, kind: str, commit: str, files: dict[str, bytes]) -> None:
        """Speak as much of the Hugging Face hub's language as a download needs."""
        api = f"/api/{kind}s/{name}"
        siblings = [{"rfilename": file} for file in files]
        tree = [
            {"type": "file", "path": file, "size": len(body), "oid": f"{number:040x}"}
            for number, (file, body) in enumerate(files.items())
        ]
        info = {"id": name, "sha": commit, "siblings": siblings}
        self.files[f"{api}/revision/main"] = json.dumps(info).encode()
        self.files[f"{api}/tree/{commit}"] = json.dumps(tree).encode()
        place = name if kind == "model" else f"{kind}s/{name}"
        for file, body in files.items():
            self.files[f"/{place}/resolve/{commit}/{file}"] = body
        self.headers["X-Repo-Commit"] = commit


class _Handler(http.server.BaseHTTPRequestHandler):
    state: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        wanted = self.headers.get("Range")
        self.state.requests.append((path, wanted))
        fault = self.state.faults.pop(0) if self.state.faults else None
        if fault == "nothing":
            return
        if isinstance(fault, int) or path not in self.state.files:
            self.send_error(fault if isinstance(fault, int) else 404)
            return
        body = self.state.files[path]
        begin = 0
        etag = f'"{hash(body)}"'
        if wanted and self.state.resumable and self.headers.get("If-Range", etag) == etag:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if self.state.resumable:
            self.send_header("ETag", etag)
        for name, value in self.state.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) - begin))
        self.end_headers()
        if self.command == "HEAD":
            return
        rest = body[begin:]
        if fault in ("drop", "stall"):
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)
        self.wfile.flush()
        if fault == "stall":
            time.sleep(2)


@contextmanager
def local_server() -> Iterator[Server]:
    """Yield a running server; its `url` has no slash at the end."""
    state = Server()
    handler = type("Handler", (_Handler,), {"state": state})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
