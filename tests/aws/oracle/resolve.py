"""Resolves credentials and region as botocore does: JSON list of {env, profile} on standard input, JSON list of answers on standard output."""
import json
import os
import sys

import botocore
import botocore.session


class Session(botocore.session.Session):
    """STS at the stub in every botocore: versions before 1.31 do not know AWS_ENDPOINT_URL_STS."""

    def create_client(self, service_name, *args, **kwargs):
        if service_name == "sts" and "AWS_ENDPOINT_URL_STS" in os.environ:
            kwargs["endpoint_url"] = os.environ["AWS_ENDPOINT_URL_STS"]
        return super().create_client(service_name, *args, **kwargs)


def resolve(item):
    os.environ.clear()
    os.environ.update(item["env"])
    try:
        session = Session(profile=item.get("profile"))
        region = session.get_config_variable("region")
        credentials = session.get_credentials()
        if credentials is None:
            return {"error": "none", "region": region}
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key": frozen.access_key,
            "secret_key": frozen.secret_key,
            "token": frozen.token or "",
            "region": region,
        }
    except Exception as error:  # whatever botocore refuses, with its own type of error
        return {"error": f"{type(error).__name__}: {error}"}


version = [int(part) for part in botocore.__version__.split(".")[:2]]
json.dump({"version": version, "answers": [resolve(item) for item in json.load(sys.stdin)]}, sys.stdout)
