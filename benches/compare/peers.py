"""The table of peers, and their installation into the work folder.

A peer is a row of PEERS and a function of `peer_files.py` that writes its configuration.
"""

import shutil
from dataclasses import dataclass
from typing import Callable

import peer_files
from server import Problem, Server, free_port
from tools import run


@dataclass
class Peer:
    name: str
    source: str  # npm or cargo
    package: str
    version: str
    # {home}: the folder of its installation, {files}: the folder of its configuration, {port},
    # {second_port}: for a second listener that it cannot disable
    command: tuple
    files: Callable  # (folder, port, body): writes the configuration
    features: str = ""
    needs: tuple = ()
    note: str = ""
    # Path and body of a POST that replaces the common request
    post: tuple = None

    def home(self, work):
        return work / self.source / f"{self.name}-{self.version}"

    def install(self, work):
        """Installs exactly this version if it is missing. Raises Problem if that fails."""
        home = self.home(work)
        for tool in (*self.needs, self.source):
            if not shutil.which(tool):
                raise Problem(f"{tool} is not installed")
        if (home / "installed").exists():
            return
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        if self.source == "npm":
            # No scripts, so that nothing is downloaded from outside of the registry.
            run("npm", "install", "--prefix", home, "--ignore-scripts", "--no-audit", "--no-fund",
                f"{self.package}@{self.version}")
        else:
            run("cargo", "install", "--locked", "--root", home, "--version", f"={self.version}",
                *(("--features", self.features) if self.features else ()), self.package,
                env={"CARGO_TARGET_DIR": str(work / "cargo-target")})
        (home / "installed").touch()

    def configure(self, work, body):
        """Writes the configuration. Call it once, because some configurations contain the port."""
        self.folder = work / "peers" / self.name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port, second = free_port(), free_port()
        self.files(self.folder, self.port, body)
        self.filled = [
            part.format(home=self.home(work), files=self.folder, port=self.port, second_port=second)
            for part in self.command
        ]

    def start(self, log, cores):
        return Server(self.name, self.filled, log, cores, self.port, self.folder)


PEERS = [
    Peer(
        "httpmock", "cargo", "httpmock", "0.9.0",
        ("{home}/bin/httpmock", "--port", "{port}", "--mock-files-dir", "{files}",
         "--disable-access-log"),
        peer_files.httpmock, features="standalone",
    ),
    Peer(
        "apimock", "cargo", "apimock", "6.4.0",
        ("{home}/bin/apimock", "-c", "apimock.toml"),
        peer_files.apimock,
    ),
    Peer(
        "stubr", "cargo", "stubr-cli", "0.6.2",
        ("{home}/bin/stubr", "{files}", "-p", "{port}"),
        peer_files.stubr,
    ),
    Peer(
        "WireMock", "npm", "wiremock", "3.13.2",
        ("java", "-jar", "{home}/node_modules/wiremock/build/wiremock-standalone-3.13.2.jar",
         "--port", "{port}", "--bind-address", "127.0.0.1", "--root-dir", "{files}",
         "--disable-banner", "--no-request-journal", "--disable-request-logging"),
        peer_files.wiremock, needs=("java",), note="without its journal, which grows for ever",
    ),
    Peer(
        "MockServer", "npm", "mockserver-node", "8.0.0",
        ("java", "-Dmockserver.localBoundIP=127.0.0.1", "-jar", "{home}/node_modules/"
         "mockserver-node/mockserver-netty-8.0.0-jar-with-dependencies.jar", "run",
         "-p", "{port}", "-l", "WARN", "--init", "{files}/init.json"),
        peer_files.mockserver, needs=("java",),
    ),
    Peer(
        "Mockoon", "npm", "@mockoon/cli", "9.9.0",
        ("node", "{home}/node_modules/@mockoon/cli/bin/run.js", "start", "-d", "{files}/env.json",
         "-p", "{port}", "-l", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api"),
        peer_files.mockoon, needs=("node",),
    ),
    Peer(
        "mountebank", "npm", "mountebank", "2.9.1",
        ("node", "{home}/node_modules/mountebank/bin/mb", "start", "--configfile",
         "{files}/imposters.json", "--nologfile", "--loglevel", "error", "--host", "127.0.0.1",
         "--localOnly", "--port", "{second_port}"),
        peer_files.mountebank, needs=("node",),
    ),
    Peer(
        # 5.16 needs Node 24.18
        "Prism", "npm", "@stoplight/prism-cli", "5.14.2",
        ("node", "{home}/node_modules/@stoplight/prism-cli/dist/index.js", "mock", "-p", "{port}",
         "-h", "127.0.0.1", "-v", "silent", "{files}/openapi.json"),
        peer_files.prism, needs=("node",), note="parses its example and writes it anew",
    ),
    Peer(
        "json-server", "npm", "json-server", "0.17.4",
        ("node", "{home}/node_modules/json-server/lib/cli/bin.js", "--quiet", "--host",
         "127.0.0.1", "--port", "{port}", "--routes", "{files}/routes.json", "{files}/db.json"),
        peer_files.json_server, needs=("node",),
        note="serves the page as one object, indented; no envelope around its own pages",
    ),
    Peer(
        "aimock", "npm", "@copilotkit/aimock", "1.43.0",
        ("node", "{home}/node_modules/@copilotkit/aimock/dist/cli.js", "-p", "{port}",
         "-f", "{files}/fixtures", "--log-level", "silent"),
        peer_files.aimock, needs=("node",),
        note="mocks language models: a chat completion with a text of the same size",
        post=("/v1/chat/completions", peer_files.CHAT),
    ),
]
