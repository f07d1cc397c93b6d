"""A stub of the small endpoints that give credentials: instance metadata (version 2), a container's endpoint, STS.

usage: stub.py PORT_FILE. STS answers with an access key made of who asked and for which role, so that a test sees the whole chain in one value.
"""
import json
import os
import re
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOG = []
LIFETIME = 3600


def expiration(seconds=None):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + (LIFETIME if seconds is None else seconds)))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text, kind="application/json"):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def note(self, body=""):
        LOG.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})

    def do_PUT(self):
        self.note()
        if self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds") == "21600":
            return self.answer(200, "METADATA-TOKEN", "text/plain")
        return self.answer(404, "")

    def do_GET(self):
        if self.path == "/log":
            return self.answer(200, json.dumps(LOG))
        self.note()
        if self.path.startswith("/latest/meta-data/"):
            if self.headers.get("X-aws-ec2-metadata-token") != "METADATA-TOKEN":
                return self.answer(401, "")
            if self.path == "/latest/meta-data/iam/security-credentials/":
                return self.answer(200, "web-role", "text/plain")
            if self.path == "/latest/meta-data/iam/security-credentials/web-role":
                return self.answer(200, json.dumps({
                    "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": expiration(0), "AccessKeyId": "ASIAMETADATA",
                    "SecretAccessKey": "metadata-secret", "Token": "metadata-session", "Expiration": expiration()}))
            return self.answer(404, "")
        if self.path.startswith("/container"):
            key = "ASIACONTAINER" + re.sub(r"\W", "", self.headers.get("Authorization", "")).upper()
            return self.answer(200, json.dumps({
                "AccessKeyId": key, "SecretAccessKey": "container-secret", "Token": "container-session",
                "Expiration": expiration()}))
        return self.answer(404, "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.note(body)
        form = dict(urllib.parse.parse_qsl(body))
        asker = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        action = form.get("Action", "")
        if form.get("TokenCode", "123456") != "123456":
            return self.answer(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed"
                                    "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>", "text/xml")
        who = asker.group(1) if asker else form.get("WebIdentityToken", "NOBODY")
        mfa = "+MFA" if "SerialNumber" in form else ""
        key = "%s>%s%s" % (who, form.get("RoleArn", "").split("/")[-1], mfa)
        ns = "https://sts.amazonaws.com/doc/2011-06-15/"
        return self.answer(200, f"""<{action}Response xmlns="{ns}"><{action}Result><Credentials><AccessKeyId>{key.replace('>', '&gt;')}</AccessKeyId>
<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken><Expiration>{expiration()}</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/x/y</Arn><AssumedRoleId>AROA:y</AssumedRoleId></AssumedRoleUser></{action}Result>
<ResponseMetadata><RequestId>r-2</RequestId></ResponseMetadata></{action}Response>""", "text/xml")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as out:
    out.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
