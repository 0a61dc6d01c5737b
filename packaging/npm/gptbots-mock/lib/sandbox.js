"use strict";

const { ControlError } = require("./control.js");

const SCHEDULE = ["times", "after", "every", "probability"];

/** `assertClean` failed. */
class VerdictError extends Error {
  constructor(message, verdict) {
    super(message);
    this.name = "VerdictError";
    this.verdict = verdict;
  }
}

/** The settings of a sandbox, with their names in the control API. */
const SETTINGS = new Map([
  ["seed", "seed"],
  ["conversations", "conversations"],
  ["demoUser", "demo_user"],
  ["fixture", "fixtures"],
  ["readings", "readings"],
  ["faults", "faults"],
  ["rateLimit", "rate_limit"],
  ["hazards", "hazards"],
  ["clock", "clock"],
]);

class Sandbox {
  #control;
  #serverKey;
  /** The settings of the last configure(), and the current ones. */
  #made = {};
  #settings = {};
  /** Whether the server would reset the sandbox to later settings than those of configure(). */
  #isChanged = false;

  constructor(control, url, apiKey, id) {
    if (typeof id !== "string" || !/^[A-Za-z0-9._-]{1,64}$/.test(id)) {
      const given = JSON.stringify(id);
      throw new TypeError(
        `the id of a sandbox must be 1 to 64 of A-Z a-z 0-9 . _ - and not an API key, got ${given}`,
      );
    }
    this.#control = control;
    this.#serverKey = apiKey;
    this.id = id;
    this.url = `${url}/s/${id}`;
  }

  get apiKey() {
    const { fixture } = this.#settings;
    return `${fixture ? keyOfAgents(fixture.agents) : this.#serverKey}~${this.id}`;
  }

  async configure(settings = {}) {
    const body = {};
    for (const [name, value] of Object.entries(settings)) {
      const known = SETTINGS.get(name);
      if (known === undefined) {
        const names = [...SETTINGS.keys()].join(", ");
        throw new TypeError(`a sandbox has no setting "${name}" (one of ${names})`);
      }
      body[known] = value;
    }
    await this.#control.json("PUT", this.#path(), body);
    this.#made = this.#settings = { ...settings };
    this.#isChanged = false;
  }

  rateLimit(requests, seconds) {
    return this.#change({ rateLimit: { requests, seconds } });
  }

  readings(readings) {
    return this.#change({ readings: { ...this.#settings.readings, ...readings } });
  }

  fixture(fixture) {
    return this.#change({ fixture });
  }

  hazard(hazard) {
    return this.#change({ hazards: [...(this.#settings.hazards ?? []), hazard] });
  }

  hazardOn(operation, hazard) {
    return this.hazard(`${operation}:${hazard}`);
  }

  async fault(fault) {
    await this.#control.json("POST", this.#path("/faults"), fault);
    this.#settings = { ...this.#settings, faults: [...(this.#settings.faults ?? []), fault] };
  }

  async failNext(fault) {
    const isLine = typeof fault === "string";
    const keys = isLine ? fault.split(/[:,]/).map((item) => item.split("=")[0]) : Object.keys(fault);
    const scheduled = keys.find((key) => SCHEDULE.includes(key.trim()));
    if (scheduled !== undefined) {
      throw new TypeError(
        `failNext applies to the next request only, so its fault must not have \`${scheduled}\`; use fault()`,
      );
    }
    await this.fault(isLine ? `${fault},times=1` : { ...fault, times: 1 });
  }

  async advance(ms) {
    await this.#control.json("POST", this.#path("/clock"), { advance_ms: ms });
  }

  async freeze() {
    await this.#control.json("POST", this.#path("/clock"), { mode: "frozen" });
    this.#settings = { ...this.#settings, clock: "frozen" };
  }

  async requests() {
    return (await this.#journal()).requests;
  }

  async droppedRequests() {
    return (await this.#journal()).dropped;
  }

  #journal() {
    return this.#ifUsed(() => readJournal(this.#control, `?sandbox=${this.id}`), {
      requests: [],
      dropped: 0,
    });
  }

  async verdict({ mute } = {}) {
    return (await this.#verdict(mute)).value;
  }

  assertClean(options) {
    return this.#assertClean(options, false);
  }

  assertCleanOrUnused(options) {
    return this.#assertClean(options, true);
  }

  async #assertClean({ mute } = {}, mayBeUnused) {
    const { value, path } = await this.#verdict(mute);
    await assertClean(this.#control, value, path, mayBeUnused);
  }

  async #verdict(mute) {
    const path = this.#path(`/verdict${muteQuery(mute)}`);
    const read = () => this.#control.json("GET", path);
    // A sandbox that was never used is created now, so that the server makes the verdict.
    const value = (await this.#ifUsed(read)) ?? (await this.reset(), await read());
    return { value, path };
  }

  async reset() {
    if (this.#isChanged) return this.configure(this.#made);
    await this.#control.json("POST", this.#path("/reset"));
    this.#settings = this.#made;
  }

  async end() {
    await this.#control.json("DELETE", this.#path());
  }

  #path(rest = "") {
    return `/sandboxes/${this.id}${rest}`;
  }

  /** The result of `read`, or `otherwise` if the sandbox was never used. */
  async #ifUsed(read, otherwise) {
    try {
      return await read();
    } catch (error) {
      // For a sandbox that has ended, the server returns another error, because its requests are lost.
      const isUnused = error instanceof ControlError && error.status === 404;
      if (isUnused && error.message.includes("there is no sandbox")) return otherwise;
      throw error;
    }
  }

  /** Changes settings for which the control API must create the sandbox again. */
  async #change(settings) {
    const { requests } = await this.#journal();
    if (requests.length > 0) {
      const count = requests.length === 1 ? "1 request" : `${requests.length} requests`;
      throw new Error(
        `this setting would delete ${count} of sandbox ${this.id}: ` +
          "set it before the first request, or after reset()",
      );
    }
    const made = this.#made;
    await this.configure({ ...this.#settings, ...settings });
    this.#made = made;
    this.#isChanged = true;
  }
}

/** A key of the first agent of a fixture that is not deleted. */
function keyOfAgents(agents = []) {
  const agent = agents.find((agent) => !agent.deleted);
  if (agent === undefined) return "";
  return agent.keys === undefined ? `app-${agent.name}` : (agent.keys[0] ?? "");
}

async function readJournal(control, query) {
  const { text, headers } = await control.call("GET", `/requests${query}`);
  const requests = JSON.parse(text).requests.map(requestOf).reverse();
  return { requests, dropped: Number(headers["x-mock-dropped"] ?? 0) };
}

/** A request of the journal, converted from the format of WireMock. */
function requestOf({ request, response }) {
  const { mock } = request;
  const url = new URL(request.url, "http://localhost");
  return {
    number: mock.number,
    sandbox: mock.sandbox,
    at: new Date(request.loggedDate),
    client: request.clientIp,
    method: request.method,
    target: request.url,
    path: url.pathname.replace(/^\/s\/[^/]+(?=\/)/, ""),
    query: [...url.searchParams],
    headers: request.headers,
    operation: mock.operation,
    status: response.status === 0 ? null : response.status,
    code: mock.code,
    reason: mock.reason ?? "",
    fault: mock.fault ?? "",
    violations: mock.violations,
    durationMs: mock.duration_us / 1000,
    unread: mock.unread,
  };
}

function muteQuery(mute) {
  return mute === undefined || mute.length === 0 ? "" : `?mute=${mute.join(",")}`;
}

/** Throws an error with the findings of a verdict, in the format of the server. */
async function assertClean(control, verdict, path, mayBeUnused) {
  if (verdict.requests === 0 && !mayBeUnused) {
    throw new VerdictError(
      "expected requests that do nothing wrong, got none: does the client send its requests to `url`? " +
        "a test that may send none calls assertCleanOrUnused()",
      verdict,
    );
  }
  if (verdict.clean) return;
  const { text } = await control.call("GET", path, undefined, "text/plain");
  const findings = text.replace(/\ncoverage: [^]*$/, "").trimEnd();
  throw new VerdictError(
    `expected requests that do nothing wrong, got:\n${findings}\n` +
      "({ mute: [rule] } ignores the findings of a rule)",
    verdict,
  );
}

const asyncDispose = Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose");
Sandbox.prototype[asyncDispose] = Sandbox.prototype.end;

module.exports = { Sandbox, VerdictError, assertClean, asyncDispose, keyOfAgents, muteQuery, readJournal };
