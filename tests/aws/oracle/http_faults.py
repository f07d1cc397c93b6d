"""An HTTP(S) server that misbehaves on request. usage: http_faults.py PORT_FILE [CERTIFICATE_AND_KEY]"""
import http.server
import json
import os
import socket
import ssl
import struct
import sys
import time

BLOCK = bytes(range(256)) * 2048  # 524288 bytes


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, body, length=None, headers=()):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        if path == "/stall":
            self.reply(b"half", 8)
            self.wfile.flush()
            time.sleep(30)
            self.close_connection = True
        elif path == "/silent":
            time.sleep(30)
            self.close_connection = True
        elif path == "/trickle":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            try:
                for _ in range(1000):
                    self.wfile.write(b".")
                    time.sleep(0.2)
            except OSError:
                self.close_connection = True
        elif path == "/short":
            self.reply(b"x" * 50, 100)
            self.close_connection = True
        elif path == "/reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif path == "/large":
            self.reply(b"x" * 100_000)
        elif path == "/endless":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"1000\r\n" + b"y" * 4096 + b"\r\n")
            except OSError:
                self.close_connection = True
        elif path == "/block":
            self.reply(BLOCK)
        elif path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            headers = [[name, value] for name, value in self.headers.items()]
            self.reply(json.dumps({"method": self.command, "path": self.path, "headers": headers, "body": body.decode("latin-1"),
                                   "client_port": self.client_address[1]}).encode(), headers=[("X-Test", "  spaced  ")])

    do_GET = do_POST = do_PUT = do_DELETE = do_any

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *args):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
with open(sys.argv[1] + ".new", "w") as out:
    out.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
