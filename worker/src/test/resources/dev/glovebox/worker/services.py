"""A source forge, a Python index, an npm registry, a Debian repository and an API over HTTPS, for
tests: all want the same key, each as its own clients would send it, and none knows any other way in.

usage: services.py PORT CHAIN KEY SECRET DIRECTORY
"""
import base64
import hashlib
import http.server
import io
import json
import os
import socketserver
import ssl
import subprocess
import sys
import tarfile
import zipfile

PORT, CHAIN, KEY, SECRET, DIRECTORY = sys.argv[1:]
BASIC = "Basic " + base64.b64encode(("robot:" + SECRET).encode()).decode()


def wheel():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("demo.py", "name = 'demo of the index'\n")
        z.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        z.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr("demo-1.0.dist-info/RECORD", "")
    return out.getvalue()


def package():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        for name, text in (("package.json", '{"name":"demo","version":"1.0.0"}'), ("index.js", "module.exports = 'demo of the registry'\n")):
            entry = tarfile.TarInfo("package/" + name)
            entry.size = len(text)
            t.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


WHEEL, PACKAGE = wheel(), package()
RELEASE = "Package: demo\nVersion: 1.0\nArchitecture: all\nMaintainer: t\nFilename: ./demo.deb\nSize: 1\nSHA256: " + "0" * 64 + "\nDescription: demo of the repository\n"
METADATA = json.dumps({
    "name": "demo", "dist-tags": {"latest": "1.0.0"},
    "versions": {"1.0.0": {"name": "demo", "version": "1.0.0", "dist": {
        "tarball": "https://npm.test/demo/-/demo-1.0.0.tgz", "shasum": hashlib.sha1(PACKAGE).hexdigest()}}}})


class Services(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, body, kind="text/plain", status=200):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        length = self.headers.get("Content-Length")
        self.body = self.rfile.read(int(length)) if length else self.chunks()
        host = self.headers["Host"]
        wanted = {"npm.test": "Bearer " + SECRET, "api.test": SECRET}.get(host, BASIC)
        given = self.headers.get("X-Api-Key" if host == "api.test" else "Authorization")
        if given != wanted:
            self.say("the key is missing", status=401)
            return
        path = self.path.split("?")[0]
        if host == "code.test":
            self.git(path)
        elif host == "api.test":
            self.say("hello of the api")
        elif (host, path) == ("pypi.test", "/simple/demo/"):
            self.say('<a href="/demo-1.0-py3-none-any.whl">demo-1.0-py3-none-any.whl</a>', "text/html")
        elif host == "pypi.test" and path.endswith(".whl"):
            self.say(WHEEL, "application/octet-stream")
        elif (host, path) == ("npm.test", "/demo"):
            self.say(METADATA, "application/json")
        elif host == "npm.test" and path.endswith(".tgz"):
            self.say(PACKAGE, "application/octet-stream")
        elif host == "apt.test" and "/binary-" in path and path.endswith("/Packages"):
            self.say(RELEASE)
        else:
            self.say("no such thing", status=404)

    def chunks(self):
        body = b""
        while self.headers.get("Transfer-Encoding") == "chunked":
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                break
        return body

    def git(self, path):
        environment = dict(
            os.environ, GIT_PROJECT_ROOT=DIRECTORY, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, REMOTE_USER="robot", REQUEST_METHOD=self.command,
            QUERY_STRING=self.path.partition("?")[2], CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(self.body)),
            HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""), GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        answer = subprocess.run(["git", "http-backend"], input=self.body, env=environment, stdout=subprocess.PIPE).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.say(body, fields.get("Content-Type", "text/plain"), int(fields.get("Status", "200").split()[0]))

    do_GET = do_POST = do_HEAD = do_PUT = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", int(PORT)), Services)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CHAIN, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
