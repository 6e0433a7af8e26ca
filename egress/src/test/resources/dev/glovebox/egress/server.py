# Python's own web server, which reads each request as http.server does and writes down what it understood.
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def chunks(self):
        body = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if size == 0:
                break
            data = self.rfile.read(size)
            if len(data) < size:
                raise ValueError("the body ended early")
            body += data
            self.rfile.readline()
        while True:
            line = self.rfile.readline()
            if not line:
                raise ValueError("the body ended early")
            if line in (b"\r\n", b"\n"):
                return body

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.chunks()
        size = int(self.headers.get("Content-Length", "0"))
        data = self.rfile.read(size)
        if len(data) < size:
            raise ValueError("the body ended early")
        return data

    def answer(self):
        body = self.body().decode("latin-1").encode("unicode_escape").decode()
        words = self.requestline.split()
        line = [words[0], words[1], self.headers.get("Host", "-"), self.headers.get("X") or "-", body or "-"]
        # a line of its own, whatever other threads write, tracebacks included
        os.write(1, ("\nseen|200|" + "|".join(line) + "\n").encode())
        answer = b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer.daemon_threads = True
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
