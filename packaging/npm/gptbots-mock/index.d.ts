/// <reference lib="esnext.disposable" />

/** An operation of the vendor's API. */
export type Operation = "conversations" | "messages" | "messages-v2" | "qa";

/** What happens between two pages of a walk; docs/hazards.md says more. */
export type Hazard =
  | "arrival"
  | "departure"
  | "short-page"
  | "repeated-row"
  | "moving-total"
  | "exact-multiple";

/** A failure on demand: a line such as `messages:code=50000,every=3`, or the same as an object; docs/faults.md says more. */
export type Fault = string | FaultObject;

export interface FaultObject {
  /** The operations that it covers; without them all. */
  operation?: Operation | Operation[];
  /** What the header `x-mock-fault` names it by. */
  id?: string;
  /** A code of the vendor's, with its HTTP status. */
  code?: number;
  /** An HTTP status with a body of its own, 200 to 599. */
  status?: number;
  body?: "json" | "html" | "empty" | "truncated" | "garbage";
  /** `Retry-After` of a code or a status, in seconds. */
  retry_after?: number;
  /** Milliseconds before anything happens: `2000`, `"100..900"`, `"lognormal:200:0.5"`. */
  delay?: number | string;
  /** Bytes of the body a second. */
  drip?: number;
  /** A TCP reset, or no answer until the client goes. */
  break?: "reset" | "no-answer";
  /** The most requests that it strikes. */
  times?: number;
  /** This many requests pass first. */
  after?: number;
  /** Of the other requests it strikes one of this many. */
  every?: number;
  /** Above 0, up to 1. */
  probability?: number;
  /** It strikes only requests with these values of these parameters. */
  conversation_type?: string;
  user_id?: string;
  start_time?: number;
  end_time?: number;
  page?: number;
  page_size?: number;
  conversation_id?: string;
  user_feedback?: "ALL" | "NONE" | "GOOD" | "BAD";
}

/** The value of a reading by its name, as `gptbots-mock readings` lists them. */
export type Readings = Record<string, string>;

/** So many requests of each key in so many seconds; one more gets code 40008. */
export interface RateLimit {
  /** 1 to 1,000,000. */
  requests: number;
  /** 1 to 86,400. */
  seconds: number;
}

/** Agents in place of the built-in ones, as in a fixture file; fixtures/schema.json describes it. */
export interface Fixture {
  agents: FixtureAgent[];
}

export interface FixtureAgent {
  name: string;
  /** Left out: `app-NAME`. */
  keys?: string[];
  deleted?: boolean;
  bot_id?: string;
  conversations?: object[];
}

/** What a server is to be. Every option has a default; each other flag of `serve` is one, too, in camelCase. */
export interface StartOptions {
  /** What generated records are drawn from; 1 by default. */
  seed?: number;
  /** How many conversations agent demo has; 200 by default. */
  conversations?: number;
  /** Id of the user of agent demo who has the most conversations. */
  demoUser?: string;
  /** End of the generated records: a day, a moment or `today`. */
  now?: string;
  /** More keys of agent demo. */
  apiKeys?: string[];
  /** Take any key that is no other agent's as one of agent demo. */
  anyKey?: boolean;
  readings?: Readings;
  /** Replaces all built-in agents. */
  fixture?: Fixture;
  /** Fixture files and folders, which replace all built-in agents. */
  fixtureFiles?: string[];
  /** Refuse fixtures with anything odd. */
  strict?: boolean;
  /** Faults of each sandbox. */
  faults?: Fault[];
  /** The rate limit of each sandbox. */
  rateLimit?: RateLimit;
  /** Hazards of each sandbox, for all operations or for one: `qa:short-page`. */
  hazards?: (Hazard | `${Operation}:${Hazard}`)[];
  /** So many requests of each sandbox are kept in the journal; 1,000 by default. */
  journal?: number;
  /** Let browser apps of other origins call the API. */
  cors?: boolean;
  /** What the control API asks for, in place of being on this machine. */
  adminToken?: string;
  /** The server's log, on the stderr of this process; `off` by default. */
  logFormat?: "text" | "json" | "off";
  /** The port to listen on; by default a free one. */
  port?: number;
}

/** Settings of one sandbox; what is left out is as the server was started. */
export interface SandboxSettings {
  seed?: number;
  conversations?: number;
  /** Id of the user of agent demo who has the most conversations. */
  demoUser?: string;
  /** Agents in place of the server's. */
  fixture?: Fixture;
  readings?: Readings;
  faults?: Fault[];
  /** `null`: none. */
  rateLimit?: RateLimit | null;
  hazards?: (Hazard | `${Operation}:${Hazard}`)[];
  clock?: "real" | "frozen";
}

/** Settings of a test's sandbox, as the helpers for Vitest, Jest and node:test take them. */
export interface TestSettings extends SandboxSettings {
  /** Fail the test if its requests have findings; one that sends nothing is clean. */
  clean?: boolean;
}

/** A rule that a request broke though it got an answer. */
export interface Violation {
  rule: string;
  what: string;
}

/** A request in the journal. Keys are shown by their last four characters. */
export interface RecordedRequest {
  number: number;
  sandbox: string;
  at: Date;
  client: string;
  method: string;
  /** What the client asked for, with the query: `/s/login/v1/messages?page=1`. */
  target: string;
  /** The path of the vendor's, without the sandbox. */
  path: string;
  query: [name: string, value: string][];
  headers: Record<string, string>;
  operation: Operation | null;
  /** `null` where a fault broke the connection. */
  status: number | null;
  /** The code of the vendor's, where it was refused. */
  code: number | null;
  /** Why it was refused, as `x-mock-reason` says; empty where it was not. */
  reason: string;
  /** The fault that struck it; empty where none did. */
  fault: string;
  violations: Violation[];
  durationMs: number;
  /** Whether the client did not read the answer to its end. */
  unread: boolean;
}

export interface Finding {
  rule: string;
  sandbox: string;
  what: string;
  why: string;
  /** The numbers of its requests. */
  requests: number[];
  request_lines: { number: number; method: string; target: string }[];
  times: number;
}

/** What clients did wrong; docs/control-api.md lists the rules. */
export interface Verdict {
  clean: boolean;
  requests: number;
  findings: Finding[];
  coverage: { percent: number; met: number; of: number; never_met: string[] };
}

export interface VerdictOptions {
  /** Leaves out the findings of these rules. */
  mute?: string[];
}

/** An answer of the control API that is an error. Its message says what would be right. */
export declare class ControlError extends Error {
  private constructor();
  readonly status: number;
}

/** A verdict that `assertClean` does not accept. Its message lists the findings. */
export declare class VerdictError extends Error {
  private constructor();
  readonly verdict: Verdict;
}

/**
 * An isolated part of a server, with its own faults, rate limit, clock and counters over the same
 * records. A request is in it if it goes to `url` or has the key `apiKey`; either is enough.
 */
export declare class Sandbox {
  private constructor();
  readonly id: string;
  /** The base URL, which replaces the vendor's host, without a trailing slash. */
  readonly url: string;
  /** The server's key in this sandbox, `app-demo~ID`; with a fixture, the one of its first agent. */
  readonly apiKey: string;
  /** Makes it anew with these settings; what was before is forgotten. */
  configure(settings?: SandboxSettings): Promise<void>;
  /** Adds a fault, which counts requests from now on. */
  fault(fault: Fault): Promise<void>;
  /** Adds a fault that strikes the next request that fits it, once. Faults that were there before come first. */
  failNext(fault: Fault): Promise<void>;
  /**
   * Limits each key to so many requests in so many seconds. This, `hazard`, `hazardOn`, `readings` and
   * `fixture` make the sandbox anew, so they are errors after its first request.
   */
  rateLimit(requests: number, seconds: number): Promise<void>;
  /** Switches a paging hazard on, for all operations. */
  hazard(hazard: Hazard): Promise<void>;
  /** Switches a paging hazard on, for one operation. */
  hazardOn(operation: Operation, hazard: Hazard): Promise<void>;
  /** Switches readings of the contract. */
  readings(readings: Readings): Promise<void>;
  /** Replaces all agents. */
  fixture(fixture: Fixture): Promise<void>;
  /** Advances its clock by so many milliseconds. */
  advance(ms: number): Promise<void>;
  /** Stops its clock, which only `advance` changes then. */
  freeze(): Promise<void>;
  /** The requests in its journal, in the order in which they came. */
  requests(): Promise<RecordedRequest[]>;
  /** How many requests `requests` lacks, because the journal was full. */
  droppedRequests(): Promise<number>;
  verdict(options?: VerdictOptions): Promise<Verdict>;
  /** Throws a VerdictError if its verdict has findings, or if no request came. */
  assertClean(options?: VerdictOptions): Promise<void>;
  /** As `assertClean`, but accepts that no request came. */
  assertCleanOrUnused(options?: VerdictOptions): Promise<void>;
  /** Makes it anew with the settings of the last `configure`. */
  reset(): Promise<void>;
  /** Ends it. */
  end(): Promise<void>;
  /** As `end`: `await using sandbox = server.sandbox("login")`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A running emulator. It ends with this process at the latest. */
export declare class Server {
  private constructor();
  /** The base URL, which replaces the vendor's host, without a trailing slash. */
  readonly url: string;
  /** A key of the agent that has the generated records; with a fixture, of its first agent that is not deleted. */
  readonly apiKey: string;
  /** A sandbox by its id, 1 to 64 of `A-Za-z0-9._-`. It is made at its first use. */
  sandbox(id: string): Sandbox;
  /** The requests in the journal, of all sandboxes, in the order in which they came. */
  requests(): Promise<RecordedRequest[]>;
  /** How many requests `requests` lacks. */
  droppedRequests(): Promise<number>;
  /** The verdict on all requests so far, those of sandboxes that have ended included. */
  verdict(options?: VerdictOptions): Promise<Verdict>;
  /** Throws a VerdictError if the verdict has findings, or if no request came. */
  assertClean(options?: VerdictOptions): Promise<void>;
  /** As `assertClean`, but accepts that no request came. */
  assertCleanOrUnused(options?: VerdictOptions): Promise<void>;
  /** Stops the server at once, unless it is one that `connect` has found running. */
  stop(): Promise<void>;
  /** As `stop`: `await using server = await start()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the emulator on a free port of this machine. Variables such as GPTBOTS_MOCK_SEED do not reach it. */
export declare function start(options?: StartOptions): Promise<Server>;

/** A server that runs already, for example in a container. */
export declare function connect(options: {
  url: string;
  /** `app-demo` by default. */
  apiKey?: string;
  adminToken?: string;
}): Server;
