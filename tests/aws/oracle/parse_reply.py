"""Parses an EC2 reply (standard input) as botocore does. usage: parse_reply.py OPERATION"""
import json
import sys

import botocore.session
from botocore.parsers import create_parser

model = botocore.session.Session().get_service_model("ec2")
reply = create_parser("ec2").parse(
    {"headers": {}, "status_code": 200, "body": sys.stdin.buffer.read()}, model.operation_model(sys.argv[1]).output_shape)
json.dump(reply, sys.stdout, default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ"))
