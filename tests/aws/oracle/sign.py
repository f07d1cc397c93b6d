"""Signs requests with botocore's signer, as an oracle: JSON list on standard input, JSON list on standard output.

Each request is signed twice: from its parameters, and from the address as icecore would send it.
"""
import json
import sys

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def sign(item, url, params):
    cls = S3SigV4Auth if item["service"] == "s3" else SigV4Auth
    request = AWSRequest(method=item["method"], url=url, data=item["body"].encode(), params=params)
    for name, value in item["headers"]:
        request.headers.add_header(name, value)
    request.context["timestamp"] = item["timestamp"]
    auth = cls(Credentials(item["key"], item["secret"], item["token"] or None), item["service"], item["region"])
    auth._modify_request_before_signing(request)
    if item["service"] != "s3":
        # botocore sends this header to S3 only; icecore sends it always.
        request.headers["x-amz-content-sha256"] = auth.payload(request)
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    signature = auth.signature(to_sign, request)
    auth._inject_signature_to_request(request, signature)
    return {"canonical": canonical, "to_sign": to_sign, "authorization": request.headers["Authorization"]}


answers = []
for item in json.load(sys.stdin):
    from_parts = sign(item, item["origin"] + item["path"], [tuple(pair) for pair in item["query"]])
    from_wire = sign(item, item["url"], {})
    answers.append({"parts": from_parts, "wire": from_wire})
json.dump(answers, sys.stdout)
