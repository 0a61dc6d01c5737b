"""The requests in the journal, and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from ._words import Rule

# pytest shows the line of the test that called us.
__tracebackhide__ = True


@dataclass(frozen=True)
class Violation:
    """A rule of the contract that a request breaks."""

    #: The name of the rule.
    rule: str
    #: What the client sent, and what would be valid, if that is known.
    what: str


@dataclass(frozen=True)
class Request:
    """A request that the emulator received, and its response.

    Only the last four characters of an API key are shown, in every field.
    """

    #: The number of the request on its server, from 1.
    number: int
    #: The id of its sandbox.
    sandbox: str
    method: str
    #: Path and query as they were sent, with the prefix of the sandbox if there was one.
    target: str
    #: The names are in lower case. If a header was repeated, this is its first value.
    headers: Mapping[str, str]
    #: The operation; None if the path belongs to no endpoint.
    operation: str | None
    #: The status of the response; None if a fault broke the connection.
    status: int | None
    #: The vendor's code if the request was refused.
    code: int | None
    #: Why the request was refused, as in `x-mock-reason`; empty if it was not refused.
    reason: str
    #: The id of the fault that was applied; empty if there was none.
    fault: str
    #: The rules of the contract that the request breaks.
    violations: tuple[Violation, ...]
    #: Whether the client disconnected before it had read the whole response.
    unread: bool

    @property
    def path(self) -> str:
        """The path without the prefix of the sandbox: `/v1/messages`."""
        path = self.target.partition("?")[0]
        prefix = f"/s/{self.sandbox}/"
        return path[len(prefix) - 1 :] if path.startswith(prefix) else path

    @property
    def query(self) -> list[tuple[str, str]]:
        """The names and values of the query, decoded, in the order of the URL."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def __str__(self) -> str:
        outcome = "no response" if self.status is None else str(self.status)
        why = self.reason or (self.fault and f"fault {self.fault}")
        reason = f": {why}" if why else ""
        code = f", code {self.code}" if self.code else ""
        return f"#{self.number} {self.method} {self.target}\n    {outcome}{code}{reason}"

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Request:
        request = event["request"]
        own = request["mock"]
        response = event.get("response") or {}
        headers = {
            name: value if isinstance(value, str) else value[0]
            for name, value in request["headers"].items()
        }
        return cls(
            number=own["number"],
            sandbox=own["sandbox"],
            method=request["method"],
            target=request["url"],
            headers=headers,
            operation=own["operation"],
            # In the journal, the status of a broken connection is 0.
            status=response.get("status") or None,
            code=own["code"],
            reason=own["reason"] or "",
            fault=own["fault"] or "",
            violations=tuple(Violation(it["rule"], it["what"]) for it in own["violations"]),
            unread=own["unread"],
        )


@dataclass(frozen=True)
class Finding:
    """A mistake of a client, which usually got no error response."""

    #: The rule that was broken.
    rule: str
    #: The id of the sandbox.
    sandbox: str
    #: What the client did, with names and values.
    what: str
    #: Why it matters.
    why: str
    #: The journal numbers of requests that show it; at most five.
    requests: tuple[int, ...]
    #: The methods and targets of those requests that were still in the journal.
    lines: tuple[str, ...]
    #: How often the client did it.
    times: int

    def __str__(self) -> str:
        times = f" ({self.times} times)" if self.times > 1 else ""
        lines = "".join(f"\n    {line}" for line in self.lines)
        return f"{self.rule}{times}: {self.what}\n  why: {self.why}{lines}"


@dataclass(frozen=True)
class Verdict:
    """The report on requests: findings, and how much of the contract they cover."""

    #: How many requests were checked.
    requests: int
    findings: tuple[Finding, ...]
    #: How much of the contract the requests cover, in percent, rounded down.
    coverage_percent: int
    #: The parts of the contract that no request covers.
    never_met: tuple[str, ...]

    def mute(self, *rules: Rule) -> Verdict:
        """The verdict without the findings of these rules."""
        kept = tuple(finding for finding in self.findings if finding.rule not in rules)
        return replace(self, findings=kept)

    def or_unused(self, sandbox: str) -> Verdict:
        """The verdict with a finding if there was no request at all."""
        if self.requests:
            return self
        finding = Finding(
            rule="no-request",
            sandbox=sandbox,
            what="no request came, so nothing was tested",
            why="A test without requests tests nothing; usually the client uses another address.",
            requests=(),
            lines=(),
            times=1,
        )
        return replace(self, findings=(finding,))

    def __str__(self) -> str:
        found = count_of(len(self.findings), "finding")
        head = f"verdict: {found} in {count_of(self.requests, 'request')}"
        return "\n\n".join([head, *map(str, self.findings)])

    @classmethod
    def of_json(cls, verdict: Mapping[str, Any]) -> Verdict:
        findings = (
            Finding(
                rule=it["rule"],
                sandbox=it["sandbox"],
                what=it["what"],
                why=it["why"],
                requests=tuple(it["requests"]),
                lines=tuple(
                    f"#{line['number']} {line['method']} {line['target']}"
                    for line in it["request_lines"]
                ),
                times=it["times"],
            )
            for it in verdict["findings"]
        )
        return cls(
            requests=verdict["requests"],
            findings=tuple(findings),
            coverage_percent=verdict["coverage"]["percent"],
            never_met=tuple(verdict["coverage"]["never_met"]),
        )


def assert_clean(verdict: Verdict) -> None:
    """Raises an `AssertionError` with the findings, if there are any."""
    if not verdict.findings:
        return
    hint = "`verdict().mute(rule)` ignores the findings of a rule"
    if any(finding.rule == "no-request" for finding in verdict.findings):
        hint = (
            "does the client send its requests to `url`? "
            "a test that may send none calls `assert_clean_or_unused`"
        )
    raise AssertionError(f"expected requests that do nothing wrong, got:\n{verdict}\n({hint})")


def count_of(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
