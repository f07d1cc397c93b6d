"""What validate.py does for the other services, for S3's REST-XML: every request and reply against botocore's model."""
import re
import urllib.parse
import xml.etree.ElementTree as ET

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# Of the signature and the client, not of the call.
SIGNING = {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent"}
OF_EVERY_REPLY = {"x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$")


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def scalar(shape, text, where):
    kind = shape.type_name
    if kind in ("integer", "long") and not re.fullmatch(r"-?\d+", text):
        yield f"{where}: {text!r} is no integer"
    if kind == "boolean" and text.lower() not in ("true", "false"):
        yield f"{where}: {text!r} is no boolean"
    if kind == "timestamp" and not TIME.match(text):
        yield f"{where}: {text!r} is no time"
    if kind == "string" and shape.enum and text not in shape.enum:
        yield f"{where}: {text!r} is not one of {shape.enum}"


def check_element(shape, element, where):
    if shape.type_name == "structure":
        body = {name: member for name, member in shape.members.items() if member.serialization.get("location") is None}
        yield from check_children(body, list(element), where, shape.name)
    elif shape.type_name == "list":
        wanted = shape.member.serialization.get("name", "member")
        for child in element:
            if local(child) != wanted:
                yield f"{where}: list item <{local(child)}>, should be <{wanted}>"
            else:
                yield from check_element(shape.member, child, f"{where}.{wanted}")
    elif len(element):
        yield f"{where}: elements where a {shape.type_name} is wanted"
    else:
        yield from scalar(shape, element.text or "", where)


def check_children(members, children, where, of):
    known = {}
    for name, member in members.items():
        flat = member.type_name == "list" and member.serialization.get("flattened")
        wire = member.serialization.get("name") or (flat and member.member.serialization.get("name")) or name
        known[wire] = (member, flat)
    seen = set()
    for child in children:
        name = local(child)
        if name not in known:
            yield f"{where}.{name}: no such member of {of}"
            continue
        member, flat = known[name]
        if name in seen and not flat:
            yield f"{where}.{name}: there more than once"
        seen.add(name)
        yield from check_element(member.member if flat else member, child, f"{where}.{name}")


def template(operation):
    uri, _, static = operation.http["requestUri"].partition("?")
    pattern = re.escape(uri).replace(r"\{Bucket\}", "(?P<Bucket>[^/]+)").replace(r"\{Key\+\}", "(?P<Key>.+)")
    if "Bucket" not in pattern:  # younger models: the bucket is the endpoint's affair
        pattern = "/(?P<Bucket>[^/]+)" + ("" if pattern == "/" else pattern)
    return pattern + "/?", set(urllib.parse.parse_qs(static, keep_blank_values=True))


def check_request(operation, request, body, headers):
    shape, name = operation.input_shape, operation.name
    if shape is None:
        return
    pattern, static = template(operation)
    if request["method"] != operation.http["method"] or not re.fullmatch(pattern, request["path"]):
        yield f"{name}: {request['method']} {request['path']} should be {operation.http['method']} {operation.http['requestUri']}"
    query = dict(urllib.parse.parse_qsl(request["query"], keep_blank_values=True))
    known_query, known_headers = set(static) | {"x-id"}, set()
    if (operation.http_checksum or {}).get("requestAlgorithmMember"):  # a trait of the call, no member of its input
        known_headers.add("x-amz-checksum-sha256")
    for member_name, member in shape.members.items():
        where, wire = member.serialization.get("location"), member.serialization.get("name", member_name)
        given = query if where == "querystring" else headers if where == "header" else None
        if given is None:
            continue
        key = wire if where == "querystring" else wire.lower()
        (known_query if where == "querystring" else known_headers).add(key)
        if key in given:
            yield from scalar(member, given[key], f"{name}.{member_name}")
        elif member_name in shape.required_members:
            yield f"{name}: required member {member_name} is missing"
    yield from (f"{name}: {word} is missing in the query" for word in static - set(query) - {"x-id"})
    yield from (f"{name}: no query parameter {word}" for word in set(query) - known_query)
    yield from (f"{name}: no header {word}" for word in headers
                if word.startswith("x-amz-") and word not in known_headers | SIGNING and not word.startswith("x-amz-meta-"))
    payload = shape.serialization.get("payload")
    if payload is None:
        if body:
            yield f"{name}: takes no body"
    elif shape.members[payload].type_name == "structure" and body is not None:
        root = ET.fromstring(body)
        wanted = shape.members[payload].serialization.get("name", payload)
        if root.tag != "{%s}%s" % (NAMESPACE, wanted):
            yield f"{name}: the body is <{root.tag}>, should be <{wanted}>"
        yield from check_element(shape.members[payload], root, name)


def check_reply(operation, reply, body, headers, parser):
    name = operation.name
    for word in ("date", "x-amz-request-id"):
        if word not in headers:
            yield f"{name}: reply without {word}"
    if reply["status"] >= 300:
        if operation.http["method"] == "HEAD":
            return
        error = parser.parse({"body": body, "headers": headers, "status_code": reply["status"]}, operation.output_shape)
        if not error.get("Error", {}).get("Code") or not error["Error"].get("Message"):
            yield f"{name}: error {reply['status']} without code or message: {body!r}"
        return
    shape = operation.output_shape
    if shape is None:
        return
    known = {}
    for member_name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            known[member.serialization.get("name", member_name).lower()] = (member_name, member)
    for word, value in headers.items():
        if word in known:
            yield from scalar(known[word][1], value, f"{name}.{known[word][0]}")
        elif word.startswith("x-amz-") and word not in OF_EVERY_REPLY and not word.startswith("x-amz-meta-"):
            yield f"{name}: reply with the header {word}, which {shape.name} has not"
    payload = shape.serialization.get("payload")
    if (payload and shape.members[payload].type_name == "blob") or not body or name == "GetBucketLocation":
        return
    root = ET.fromstring(body)
    if not root.tag.startswith("{%s}" % NAMESPACE):
        yield f"{name}: namespace of <{root.tag}>"
    if payload:
        yield from check_element(shape.members[payload], root, name)
    else:
        yield from check_element(shape, root, name)
    parser.parse({"body": body, "headers": headers, "status_code": reply["status"]}, shape)


def check(operation, line, body_of, headers_of, parser, bad_request):
    if not bad_request:
        yield from check_request(operation, line["request"], body_of(line["request"]), headers_of(line["request"]))
    if not line["fault"]:
        yield from check_reply(operation, line["reply"], body_of(line["reply"]), headers_of(line["reply"]), parser)
