#!/usr/bin/env python3
"""Holds a record of requests and replies (icecore-lab --record FILE) against botocore's service models.

    tests/conformance/validate.py RECORD…

Every request must be one that the model allows: known operation, known members, right types, required members there.
Every reply must parse with botocore's parser, and hold nothing that the model does not name. Prints what is wrong, and
ends with 1 when anything is. What this botocore does not know but a later one does (lab/model/services.json is boiled down
from it) is counted and named, not a problem. Replies that a fault spoiled on purpose are left out, and so are requests that were
answered with an error of the caller's making (a test of a bad request is no client to judge).
"""
import base64
import collections
import json
import os
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ET

import botocore.loaders
import botocore.model
import botocore.parsers

import validate_s3

XML_PROTOCOLS = ("ec2", "query")
# Errors that say the request itself was wrong; then only the reply is judged.
BAD_REQUEST = re.compile(r"EntityTooSmall|NotImplemented|BadDigest|Unknown|Missing|Invalid|Malformed|Incomplete|Unrecognized|Signature|AuthFailure|Validation|NoSuchVersion|Serialization|Expired")
EC2_PSEUDO = {"Action", "Version"}
LATER_MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lab/model/services.json")


class Later:
    """Members and values that came into the models after this botocore."""

    def __init__(self):
        with open(LATER_MODELS, encoding="utf-8") as file:
            self.shapes = {}
            for service in json.load(file).values():
                for name, shape in service["shapes"].items():
                    self.shapes.setdefault(name, []).append(shape)
        self.seen = collections.Counter()

    def member(self, shape, wire):
        for later in self.shapes.get(shape.name, []):
            if any(wire in (name, *names[1:]) for name, names in later.get("m", {}).items()):
                self.seen[f"{shape.name}.{wire}"] += 1
                return True
        return False

    def value(self, shape, text):
        if any(text in later.get("e", []) for later in self.shapes.get(shape.name, [])):
            self.seen[f"{shape.name} = {text}"] += 1
            return True
        return False


LATER = Later()


class Models:
    def __init__(self):
        self.loader = botocore.loaders.Loader()
        self.cache = {}

    def get(self, service):
        if service not in self.cache:
            self.cache[service] = botocore.model.ServiceModel(self.loader.load_service_model(service, "service-2"), service)
        return self.cache[service]


def body_of(side):
    if "body" in side:
        return side["body"].encode("utf-8", "surrogateescape")
    if "body_base64" in side:
        return base64.b64decode(side["body_base64"])
    return None


def headers_of(side):
    return {name.lower(): value for name, value in side["headers"]}


# ---- requests ---------------------------------------------------------------------------------------------------

def check_scalar(shape, text, where):
    kind = shape.type_name
    if kind in ("integer", "long") and not re.fullmatch(r"-?\d+", str(text)):
        yield f"{where}: {text!r} is no integer"
    if kind == "boolean" and str(text).lower() not in ("true", "false"):
        yield f"{where}: {text!r} is no boolean"
    if kind == "timestamp" and not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|\d+(\.\d+)?$", str(text)):
        yield f"{where}: {text!r} is no time"
    if kind == "blob":
        try:
            base64.b64decode(text, validate=True)
        except ValueError:
            yield f"{where}: no base64"
    if kind == "string" and shape.enum and len(shape.enum) < 60 and text not in shape.enum and not LATER.value(shape, text):
        yield f"{where}: {text!r} is not one of {shape.enum}"


def tree_of(pairs):
    root = {}
    for name, value in pairs:
        node = root
        for part in name.split("."):
            node = node.setdefault(part, {})
        node[""] = value
    return root


def request_name(protocol, name, shape):
    if protocol != "ec2":
        return shape.serialization.get("name", name)
    query = shape.serialization.get("queryName")
    if query:
        return query
    wire = shape.serialization.get("name", name)
    return wire[0].upper() + wire[1:]


def check_tree(protocol, shape, node, where):
    if shape.type_name == "structure":
        if "" in node:
            yield f"{where}: a value where a structure is wanted"
        known = {request_name(protocol, name, member): (name, member) for name, member in shape.members.items()}
        for key, child in node.items():
            if key == "":
                continue
            if key not in known:
                if not LATER.member(shape, key):
                    yield f"{where}.{key}: no such member of {shape.name}"
                continue
            yield from check_tree(protocol, known[key][1], child, f"{where}.{key}")
        given = {known[key][0] for key in node if key in known}
        for name in shape.required_members:
            if name not in given:
                yield f"{where}: required member {name} is missing"
    elif shape.type_name == "list":
        items = node if protocol == "ec2" else node.get(shape.member.serialization.get("name", "member"), {})
        numbers = sorted(int(key) for key in items if key.isdigit())
        if len(numbers) != len(items):
            yield f"{where}: list items must be numbered, got {sorted(items)}"
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{where}: items are numbered {numbers}"
        for number in numbers:
            yield from check_tree(protocol, shape.member, items[str(number)], f"{where}.{number}")
    else:
        if set(node) != {""}:
            yield f"{where}: a structure where a {shape.type_name} is wanted"
        else:
            yield from check_scalar(shape, node[""], where)


def check_json(shape, value, where):
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            yield f"{where}: no object"
            return
        known = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for key, child in value.items():
            if key not in known:
                if not LATER.member(shape, key):
                    yield f"{where}.{key}: no such member of {shape.name}"
            elif child is not None:
                yield from check_json(known[key][1], child, f"{where}.{key}")
        for name in shape.required_members:
            wire = shape.members[name].serialization.get("name", name)
            if "location" not in shape.members[name].serialization and wire not in value:
                yield f"{where}: required member {name} is missing"
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{where}: no list"
            return
        for number, item in enumerate(value):
            yield from check_json(shape.member, item, f"{where}[{number}]")
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            yield f"{where}: no map"
    elif shape.type_name in ("integer", "long"):
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{where}: {value!r} is no integer"
    elif shape.type_name == "boolean":
        if not isinstance(value, bool):
            yield f"{where}: {value!r} is no boolean"
    elif shape.type_name == "timestamp":
        if not isinstance(value, (int, float)):
            yield f"{where}: {value!r} is no time in seconds"
    elif not isinstance(value, str):
        yield f"{where}: {value!r} is no string"
    else:
        yield from check_scalar(shape, value, where)


def check_rest_request(operation, request, raw_query):
    """REST-JSON: members in path, query and headers; the rest in the body."""
    shape = operation.input_shape
    template = operation.http["requestUri"].split("?")[0]
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
    match = re.fullmatch(pattern, request["path"])
    if request["method"] != operation.http["method"] or not match:
        yield f"{request['method']} {request['path']}: should be {operation.http['method']} {template}"
        return
    found = {"uri": match.groupdict(), "querystring": dict(urllib.parse.parse_qsl(raw_query, keep_blank_values=True)), "header": headers_of(request)}
    seen = collections.defaultdict(set)
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        if where not in found:
            continue
        wire = member.serialization["name"].lower() if where == "header" else member.serialization["name"]
        seen[where].add(wire)
        if wire in found[where]:
            yield from check_scalar(member, urllib.parse.unquote(found[where][wire]) if where == "uri" else found[where][wire], f"{operation.name}.{name}")
        elif name in shape.required_members:
            yield f"{operation.name}: required member {name} is missing"
    for name in found["querystring"]:
        if name not in seen["querystring"]:
            yield f"{operation.name}: no query parameter {name}"
    body = body_of(request)
    if not shape.serialization.get("payload") and body:
        yield from check_json(shape, json.loads(body), operation.name)


def check_request(service, operation, line):
    request = line["request"]
    protocol = service.metadata["protocol"]
    if protocol in XML_PROTOCOLS:
        raw = (body_of(request) or b"").decode() if request["method"] == "POST" else request["query"]
        pairs = urllib.parse.parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw))
        version = dict(pairs).get("Version")
        if version != service.api_version:
            yield f"{operation.name}: Version is {version}"
        tree = tree_of((name, value) for name, value in pairs if name not in EC2_PSEUDO)
        if operation.input_shape is not None:
            yield from check_tree(protocol, operation.input_shape, tree, operation.name)
        elif tree:
            yield f"{operation.name}: takes no members, got {sorted(tree)}"
    elif protocol == "json":
        target = headers_of(request).get("x-amz-target")
        if target != f"{service.metadata['targetPrefix']}.{operation.name}":
            yield f"{operation.name}: X-Amz-Target is {target}"
        if not headers_of(request).get("content-type", "").startswith("application/x-amz-json-" + service.metadata["jsonVersion"]):
            yield f"{operation.name}: Content-Type is {headers_of(request).get('content-type')}"
        yield from check_json(operation.input_shape, json.loads(body_of(request) or b"{}"), operation.name)
    else:
        yield from check_rest_request(operation, request, request["query"])


# ---- replies ----------------------------------------------------------------------------------------------------

def local(element):
    return element.tag.rsplit("}", 1)[-1]


def check_xml(shape, element, where):
    """What botocore's parser would pass over in silence: elements that the model does not name, texts of a wrong type."""
    if shape.type_name == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        counts = collections.Counter(local(child) for child in element)
        for child in element:
            name = local(child)
            if name not in known:
                if not LATER.member(shape, name):
                    yield f"{where}.{name}: no such member of {shape.name}"
                continue
            if counts[name] > 1:
                yield f"{where}.{name}: there {counts[name]} times"
            yield from check_xml(known[name], child, f"{where}.{name}")
    elif shape.type_name == "list":
        wanted = shape.member.serialization.get("name", "member")
        for number, child in enumerate(element):
            if local(child) != wanted:
                yield f"{where}: list item <{local(child)}>, should be <{wanted}>"
            else:
                yield from check_xml(shape.member, child, f"{where}[{number}]")
    else:
        if len(element):
            yield f"{where}: elements where a {shape.type_name} is wanted"
        yield from check_scalar(shape, element.text or "", where)


def check_xml_reply(service, operation, body):
    root = ET.fromstring(body)
    if local(root) != operation.name + "Response":
        yield f"{operation.name}: the root is <{local(root)}>"
    space = root.tag[1:].split("}")[0] if root.tag.startswith("{") else ""
    if space.rstrip("/") != service.metadata["xmlNamespace"].rstrip("/"):
        yield f"{operation.name}: namespace {space}"
    shape = operation.output_shape
    children = [child for child in root if local(child) not in ("requestId", "ResponseMetadata")]
    if service.metadata["protocol"] == "ec2" and root.find("{%s}requestId" % space) is None:
        yield f"{operation.name}: no requestId"
    if shape is None:
        return
    if "resultWrapper" in shape.serialization:
        children = [grandchild for child in children if local(child) == shape.serialization["resultWrapper"] for grandchild in child]
    holder = ET.Element("reply")
    holder.extend(children)
    yield from check_xml(shape, holder, operation.name)
    if service.metadata["protocol"] == "ec2":
        return
    names = {local(child) for child in children}
    for name in shape.required_members:
        if shape.members[name].serialization.get("name", name) not in names:
            yield f"{operation.name}: required member {name} of the reply is missing"


def parsed_reply(service, operation, reply, body):
    parser = botocore.parsers.create_parser(service.metadata["protocol"])
    shape = operation.output_shape
    if shape is not None and shape.serialization.get("payload"):
        return {}  # the payload is a stream; its headers are checked below
    return parser.parse({"body": body, "headers": headers_of(reply), "status_code": reply["status"]}, shape)


def check_reply(service, operation, line):
    reply = line["reply"]
    body = body_of(reply)
    headers = headers_of(reply)
    for name in ("date", "x-amzn-requestid"):
        if name not in headers:
            yield f"{operation.name}: reply without {name}"
    if reply["status"] >= 300:
        error = botocore.parsers.create_parser(service.metadata["protocol"]).parse(
            {"body": body, "headers": headers, "status_code": reply["status"]}, operation.output_shape)
        if not error.get("Error", {}).get("Code") or not error["Error"].get("Message"):
            yield f"{operation.name}: error {reply['status']} without code or message: {body!r}"
        return
    wanted = operation.http.get("responseCode", 200)
    if reply["status"] != wanted:
        yield f"{operation.name}: status {reply['status']}, should be {wanted}"
    protocol = service.metadata["protocol"]
    shape = operation.output_shape
    if protocol in XML_PROTOCOLS:
        yield from check_xml_reply(service, operation, body)
    elif shape is None:
        if body:
            yield f"{operation.name}: the model knows no reply, and there is one: {body!r}"
    elif not shape.serialization.get("payload"):
        in_body = {k: v for k, v in json.loads(body or b"{}").items()}
        yield from check_json(shape, in_body, operation.name)
    for name, member in (shape.members.items() if shape is not None else ()):
        if member.serialization.get("location") == "header":
            wire = member.serialization["name"].lower()
            if wire not in headers:
                yield f"{operation.name}: reply without header {wire}"
            else:
                yield from check_scalar(member, headers[wire], f"{operation.name}.{name}")
    parsed_reply(service, operation, reply, body)


# ---- the record ---------------------------------------------------------------------------------------------------

def error_code(line):
    if line["reply"]["status"] < 300:
        return ""
    headers = headers_of(line["reply"])
    body = (body_of(line["reply"]) or b"").decode(errors="replace")
    match = re.search(r"<Code>([^<]+)", body) or re.search(r'"__type": ?"([^"]+)', body)
    return headers.get("x-amzn-errortype") or (match.group(1) if match else "?")


def check_line(models, line, unchecked):
    service = models.get(line["service"])
    if line["action"] not in service.operation_names:
        # An operation younger than this botocore; the caller is told which were passed over.
        if line["reply"]["status"] < 300:
            unchecked[f"{line['service']}:{line['action']}"] += 1
        return
    operation = service.operation_model(line["action"])
    code = error_code(line)
    if "icecore-lab itself failed" in line["reply"].get("body", ""):
        yield f"{operation.name}: the lab failed: {line['reply']['body']}"
    if line["service"] == "s3":
        parser = botocore.parsers.create_parser("rest-xml")
        yield from validate_s3.check(operation, line, body_of, headers_of, parser, BAD_REQUEST.search(code))
        return
    if not BAD_REQUEST.search(code):
        yield from check_request(service, operation, line)
    if not line["fault"]:
        yield from check_reply(service, operation, line)


def validate(paths, out=sys.stdout):
    models, problems, unchecked, seen = Models(), 0, collections.Counter(), collections.Counter()
    for path in paths:
        with open(path, encoding="utf-8") as record:
            for number, text in enumerate(record, 1):
                line = json.loads(text)
                seen[f"{line['service']}:{line['action']}"] += 1
                try:
                    complaints = list(check_line(models, line, unchecked))
                except (ValueError, KeyError, ET.ParseError, botocore.parsers.ResponseParserError) as error:
                    complaints = [f"{line['service']}:{line['action']}: cannot be read: {error!r}"]
                for complaint in complaints:
                    problems += 1
                    print(f"{path}:{number}: {complaint}", file=out)
    for name, count in sorted(unchecked.items()):
        print(f"not checked, since this botocore has no such operation: {name} ({count})", file=out)
    for name, count in sorted(LATER.seen.items()):
        print(f"younger than this botocore: {name} ({count})", file=out)
    LATER.seen.clear()
    print(f"{sum(seen.values())} exchanges of {len(seen)} operations, {problems} problems", file=out)
    return problems, seen


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(1 if validate(sys.argv[1:])[0] else 0)
