"""`run peers`: compares the emulator with its peers. All get the same request and send the same body."""

import json
import time
from dataclasses import dataclass
from typing import Callable

from load import Spread, in_rounds, ratio, window
from pages import conversation_page
from peers import PEERS
from server import REST, SERVER_CORE, Problem, ask, stop_all
from tools import NO_LOG

REQUEST = conversation_page(1)
CONNECTIONS = (1, 64)


@dataclass
class Target:
    """A server to measure: how to start it, and the request to send."""

    name: str
    version: str
    start: Callable  # (cores): starts a server, which may not accept connections yet
    note: str = ""
    path: str = REQUEST
    post: str = None
    own: bool = False

    def up(self, cores=None):
        """Starts the server; returns it, the milliseconds until its first response, and that response."""
        server = self.start(cores)
        if not server.port:
            server.first_line()
        method = "POST" if self.post else "GET"
        return server, *server.first_answer(self.path, method, self.post)


def common_body(tools):
    """The body of the emulator's response, which all peers should send."""
    server = tools.emulator(*NO_LOG)
    server.first_line()
    status, body = ask(server.port, REQUEST)
    server.stop()
    if status != 200:
        raise Problem(f"the response of the emulator to the common request has status {status}")
    return body


def own_targets(tools, body, versions):
    file = tools.work / "bodies" / "page.json"
    file.write_bytes(body)
    version = versions["gptbots-mock"].split()[0]

    def emulator(*flags):
        return lambda cores: tools.emulator(*flags, cores=cores)

    def baseline(cores):
        return tools.baseline(file, cores=cores)

    return [
        Target("baseline", "axum 0.8", baseline, own=True,
               note="the same bytes to everybody: the base of the ratios"),
        Target("gptbots-mock", version, emulator(), own=True,
               note="as it starts, with the access log in a file"),
        Target("gptbots-mock, no log", version, emulator(*NO_LOG), own=True,
               note="`--log-format off`"),
    ]


def peer_targets(tools, body, chosen, install, say):
    """The peers that could be installed, and [name, reason] of the others."""
    targets, skipped = [], []
    for peer in chosen:
        try:
            if not install and not (peer.home(tools.work) / "installed").exists():
                raise Problem("it is not installed")
            say(f"{peer.name} {peer.version}: install")
            peer.install(tools.work)
        except Problem as problem:
            skipped.append([peer.name, str(problem)])
            continue
        peer.configure(tools.work, body.decode())

        def start(cores, peer=peer):
            return peer.start(tools.log(peer.name), cores)

        targets.append(Target(peer.name, peer.version, start, peer.note, *(peer.post or ())))
    return targets, skipped


def likeness(answer, body):
    if answer == body:
        return "same bytes"
    try:
        return "same JSON" if json.loads(answer) == json.loads(body) else "differs"
    except ValueError:
        return "differs"


def chosen_peers(only):
    names = {peer.name.lower() for peer in PEERS}
    wanted = {name.lower() for name in only.split(",")} if only else names
    if wanted - names:
        raise Problem(f"there is no peer {', '.join(wanted - names)} (one of {', '.join(names)})")
    return [peer for peer in PEERS if peer.name.lower() in wanted]


class Comparison:
    """The remaining targets, their figures by name, and why the others were skipped."""

    def __init__(self, tools, quiet, size, say):
        self.tools, self.quiet, self.size, self.say = tools, quiet, size, say
        self.targets, self.figures, self.skipped = [], {}, []

    def attempt(self, target, step):
        """Skips a peer that fails. A failure of one of our own servers is an error."""
        if target not in self.targets:
            return None
        try:
            return step()
        except Problem as problem:
            if target.own:
                raise
            self.say(f"{target.name} is skipped: {problem}")
            self.skipped.append([target.name, str(problem)])
            self.targets.remove(target)
            del self.figures[target.name]
            return None

    def check(self, target, body):
        """Checks the response. This first start is not timed, because it reads the program from disk."""
        server, _, answer = target.up()
        server.stop()
        self.figures[target.name].update(
            version=target.version, note=target.note, body=likeness(answer, body), starts=[]
        )

    def cold_start(self, target):
        self.quiet.wait()
        server, took, _ = target.up()
        server.stop()
        self.figures[target.name]["starts"].append(took)

    def bring_up(self, target):
        """Starts and warms up the server for the load; returns its windows of load."""
        say, tools, quiet, seconds = self.say, self.tools, self.quiet, self.size.seconds
        server, _, _ = target.up(SERVER_CORE)
        time.sleep(REST)
        figures = self.figures[target.name]
        figures.update(server=server, before=server.memory())
        paths = tools.paths(target.name, [target.path])
        body = None
        if target.post:
            body = tools.work / "bodies" / f"{target.name}.json"
            body.write_text(target.post)
        say(f"{target.name}: warm up")
        window(quiet, server, paths, 64, seconds, body)
        return {
            (target.name, connections): lambda connections=connections: self.attempt(
                target, lambda: window(quiet, server, paths, connections, seconds, body)
            )
            for connections in CONNECTIONS
        }

    def load(self):
        """All servers run at once and are measured in turn, so that rounds can interleave."""
        lanes = {}
        for target in list(self.targets):
            lanes.update(self.attempt(target, lambda: self.bring_up(target)) or {})
        results = in_rounds(self.size.rounds, lanes, self.say)
        for target in self.targets:
            figures = self.figures[target.name]
            server = figures.pop("server")
            figures["after"] = server.memory()
            figures["load"] = {n: results[target.name, n] for n in CONNECTIONS}
        stop_all()


def measure(tools, quiet, size, versions, say, only=None, install=True):
    """Returns the figures of every target by name, and what was skipped."""
    body = common_body(tools)
    peers, skipped = peer_targets(tools, body, chosen_peers(only), install, say)
    race = Comparison(tools, quiet, size, say)
    race.targets = own_targets(tools, body, versions) + peers
    race.figures = {target.name: {} for target in race.targets}
    for target in list(race.targets):
        race.attempt(target, lambda: race.check(target, body))
    for turn in range(size.cold_starts):
        say(f"cold starts, round {turn + 1} of {size.cold_starts}")
        for target in list(race.targets):
            race.attempt(target, lambda: race.cold_start(target))
    race.load()
    base = race.figures["baseline"]
    for one in race.figures.values():
        one["start_ratio"] = Spread(a / b for a, b in zip(one["starts"], base["starts"]))
        one["cpu_ratio"] = ratio(one["load"][64], base["load"][64], "cpu")
    return {"targets": race.figures, "skipped": skipped + race.skipped, "bytes": len(body)}
