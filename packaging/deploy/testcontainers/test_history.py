"""pip install pytest "testcontainers>=4.14" """

import json
import urllib.request

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

TOKEN = "control-api"


@pytest.fixture(scope="session")
def url():
    mock = DockerContainer("gptbots-mock:0.1.0").with_env("GPTBOTS_MOCK_ADMIN_TOKEN", TOKEN)
    mock.with_exposed_ports(8484).waiting_for(HttpWaitStrategy(8484, "/__admin/health"))
    with mock:
        yield f"http://{mock.get_container_host_ip()}:{mock.get_exposed_port(8484)}"


def ask(request, token):
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def test_first_page(url):
    query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10"
    # The part of the key after ~ is the id of this test's sandbox.
    page = ask(
        urllib.request.Request(f"{url}/v1/bot/conversation/page?{query}"), "app-demo~first-page"
    )
    assert (len(page["list"]), page["total"]) == (10, 200)
    sandbox = ask(urllib.request.Request(f"{url}/__admin/sandboxes/first-page"), TOKEN)
    assert sandbox["id"] == "first-page"
