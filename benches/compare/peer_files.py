"""The configuration of each peer, so that it sends the common body for the common request.

Each function takes a folder, the port and the body as text. If a peer can check the key or the
query, it is configured to do so, because the emulator checks them too.
"""

import json

from server import KEY

PATH = "/v1/bot/conversation/page"
BEARER = f"Bearer {KEY}"
JSON = "application/json"
CHAT = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]})


def write(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str):
        content = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    file.write_text(content)


def httpmock(folder, port, body):
    # The file must be YAML, and JSON is valid YAML
    write(folder / "page.yaml", {
        "when": {
            "method": "GET",
            "path": PATH,
            "header": [{"name": "authorization", "value": BEARER}],
        },
        "then": {
            "status": 200,
            "header": [{"name": "content-type", "value": JSON}],
            "body": body,
        },
    })


def apimock(folder, port, body):
    write(folder / "apimock.toml", f"""
[listener]
ip_address = "127.0.0.1"
port = {port}
[log]
verbose = {{ header = false, body = false }}
[service]
rule_sets = ["rules.toml"]
fallback_respond_dir = "."
""")
    write(folder / "rules.toml", f"""
[[rules]]
when.request.method = "GET"
when.request.url_path = "{PATH}"
[rules.when.request.headers]
authorization = {{ op = "equal", value = "{BEARER}" }}
[rules.respond]
file_path = "page.json"
""")
    write(folder / "page.json", body)


def stub(body):
    """A stub in WireMock's format, which stubr uses too."""
    number = {"matches": "[0-9]+"}
    return {
        "request": {
            "method": "GET",
            "urlPath": PATH,
            "headers": {"Authorization": {"equalTo": BEARER}},
            "queryParameters": {"page": number, "page_size": number},
        },
        "response": {"status": 200, "headers": {"Content-Type": JSON}, "body": body},
    }


def stubr(folder, port, body):
    write(folder / "page.json", stub(body))


def wiremock(folder, port, body):
    write(folder / "mappings/page.json", stub(body))


def mockserver(folder, port, body):
    write(folder / "init.json", [{
        "httpRequest": {
            "method": "GET",
            "path": PATH,
            "headers": {"Authorization": [BEARER]},
        },
        "httpResponse": {"statusCode": 200, "headers": {"Content-Type": [JSON]}, "body": body},
    }])


def mockoon(folder, port, body):
    def response(uuid, status, text, rules):
        return {
            "uuid": uuid, "body": text, "statusCode": status, "rules": rules,
            "default": not rules, "label": "", "latency": 0, "bodyType": "INLINE",
            "headers": [{"key": "Content-Type", "value": JSON}], "filePath": "",
            "databucketID": "", "sendFileAsBody": False, "rulesOperator": "AND",
            "disableTemplating": True, "fallbackTo404": False, "crudKey": "id", "callbacks": [],
        }

    key = {
        "target": "header", "modifier": "Authorization", "value": BEARER,
        "invert": False, "operator": "equals",
    }
    write(folder / "env.json", {
        "uuid": "environment", "lastMigration": 33, "name": "compare", "endpointPrefix": "",
        "latency": 0, "port": port, "hostname": "127.0.0.1", "folders": [],
        "routes": [{
            "uuid": "page", "type": "http", "documentation": "", "method": "get",
            "endpoint": PATH.lstrip("/"), "responseMode": None, "streamingMode": None,
            "streamingInterval": 0,
            "responses": [response("ok", 200, body, [key]), response("no", 401, "{}", [])],
        }],
        "rootChildren": [{"type": "route", "uuid": "page"}],
        "proxyMode": False, "proxyHost": "", "proxyRemovePrefix": False,
        "tlsOptions": {
            "enabled": False, "type": "CERT", "pfxPath": "", "certPath": "", "keyPath": "",
            "caPath": "", "passphrase": "",
        },
        "cors": False, "headers": [], "proxyReqHeaders": [], "proxyResHeaders": [], "data": [],
        "callbacks": [],
    })


def mountebank(folder, port, body):
    write(folder / "imposters.json", {"imposters": [{
        "port": port,
        "protocol": "http",
        "host": "127.0.0.1",
        "recordRequests": False,
        "stubs": [{
            "predicates": [
                {"equals": {"method": "GET", "path": PATH, "headers": {"Authorization": BEARER}}}
            ],
            "responses": [
                {"is": {"statusCode": 200, "headers": {"Content-Type": JSON}, "body": body}}
            ],
        }],
        "defaultResponse": {"statusCode": 401},
    }]})


def prism(folder, port, body):
    def parameter(name, kind, required=True):
        return {"name": name, "in": "query", "required": required, "schema": {"type": kind}}

    row = {
        "conversation_id": "string", "user_id": "string", "recent_chat_time": "integer",
        "subject": "string", "conversation_type": "string", "message_count": "integer",
        "cost_credit": "number", "bot_id": "string",
    }
    schema = {
        "type": "object",
        "required": ["list", "total"],
        "properties": {
            "total": {"type": "integer"},
            "list": {"type": "array", "items": {
                "type": "object",
                "required": list(row),
                "properties": {name: {"type": kind} for name, kind in row.items()},
            }},
        },
    }
    integers = ("start_time", "end_time", "page", "page_size")
    write(folder / "openapi.json", {
        "openapi": "3.0.3",
        "info": {"title": "compare", "version": "1"},
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "paths": {PATH: {"get": {
            "security": [{"key": []}],
            "parameters": [
                parameter("conversation_type", "string"),
                parameter("user_id", "string", required=False),
                *(parameter(name, "integer") for name in integers),
            ],
            "responses": {"200": {"description": "a page", "content": {JSON: {
                "schema": schema, "example": json.loads(body),
            }}}},
        }}},
    })


def json_server(folder, port, body):
    write(folder / "db.json", {"page": json.loads(body)})
    write(folder / "routes.json", {f"{PATH}*": "/page"})


def aimock(folder, port, body):
    write(folder / "fixtures/chat.json", {"fixtures": [
        {"match": {"userMessage": "hello"}, "response": {"content": body}}
    ]})
