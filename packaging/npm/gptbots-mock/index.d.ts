/// <reference lib="esnext.disposable" />

/** An operation of the vendor's API. */
export type Operation = "conversations" | "messages" | "messages-v2" | "qa";

/** A change of the data between two page requests of a client; see docs/hazards.md. */
export type Hazard =
  | "arrival"
  | "departure"
  | "short-page"
  | "repeated-row"
  | "moving-total"
  | "exact-multiple";

/** A failure on demand: a text such as `messages:code=50000,every=3`, or an object; see docs/faults.md. */
export type Fault = string | FaultObject;

export interface FaultObject {
  /** The operations that it applies to. Default: all; for a code, those that can return it. */
  operation?: Operation | Operation[];
  /** The id in the header `x-mock-fault`. */
  id?: string;
  /** A code of the vendor, with its HTTP status. */
  code?: number;
  /** An HTTP status, 200 to 599, with a JSON body. */
  status?: number;
  /**
   * The body of the response: `json` (the default) or `html` for a status; `empty`; `truncated`: half of it,
   * then the connection is closed; `garbage`: neither JSON nor UTF-8.
   */
  body?: "json" | "html" | "empty" | "truncated" | "garbage";
  /** The `Retry-After` of a code or a status, in seconds. */
  retry_after?: number;
  /** The delay of the response in milliseconds: `2000`, `"100..900"`, `"lognormal:200:0.5"`. */
  delay?: number | string;
  /** The rate of the body in bytes a second, at least 1. */
  drip?: number;
  /** A TCP reset, or no response until the client closes the connection. */
  break?: "reset" | "no-answer";
  /** The maximum number of requests that it applies to. */
  times?: number;
  /** The number of matching requests that it skips first. */
  after?: number;
  /** It applies only to every n-th of the other requests. */
  every?: number;
  /** It applies with this probability, above 0 and at most 1. */
  probability?: number;
  /** From here on: it applies only to requests whose parameters have these values. */
  conversation_type?: string;
  user_id?: string;
  start_time?: number;
  end_time?: number;
  page?: number;
  page_size?: number;
  conversation_id?: string;
  user_feedback?: "ALL" | "NONE" | "GOOD" | "BAD";
}

/**
 * Behaviours that the vendor leaves unclear, such as `{ "qa-time": "milliseconds" }`. The command
 * `gptbots-mock readings` lists all of them.
 */
export type Readings = Record<string, string>;

/** A limit on the requests of each API key in a time window. A further request gets 40008 (HTTP 429). */
export interface RateLimit {
  /** The maximum number of requests: 1 to 1,000,000. */
  requests: number;
  /** The length of the window: 1 to 86,400. */
  seconds: number;
}

/** Agents that replace the built-in ones, in the format of a fixture file; see docs/fixtures.md. */
export interface Fixture {
  agents: FixtureAgent[];
}

export interface FixtureAgent {
  name: string;
  /** Default: one key, `app-NAME`. */
  keys?: string[];
  deleted?: boolean;
  bot_id?: string;
  conversations?: object[];
}

/** The settings of a server, all of which have defaults. Other flags of `serve` are options too, in camelCase. */
export interface StartOptions {
  /** Seed of the generated records and of random faults. Default: 1. */
  seed?: number;
  /** Number of generated conversations of agent demo. Default: 200. */
  conversations?: number;
  /** ID of the user of agent demo with the most conversations. */
  demoUser?: string;
  /** When the generated records end: a date, a time or `today`. */
  now?: string;
  /** Additional API keys of agent demo. */
  apiKeys?: string[];
  /** Accept every unknown API key as a key of agent demo. */
  anyKey?: boolean;
  /** Changes behaviours that the vendor leaves unclear. */
  readings?: Readings;
  /** Replaces the built-in agents. */
  fixture?: Fixture;
  /** Fixture files and folders that replace the built-in agents. */
  fixtureFiles?: string[];
  /** Treat warnings about fixtures as errors. */
  strict?: boolean;
  /** Faults of each sandbox. */
  faults?: Fault[];
  /** The rate limit of each sandbox. */
  rateLimit?: RateLimit;
  /** Hazards of each sandbox (changes of the data between two page requests), such as `qa:short-page`. */
  hazards?: (Hazard | `${Operation}:${Hazard}`)[];
  /** Requests that the journal keeps per sandbox. Default: 1,000; 0: no journal, no verdict. */
  journal?: number;
  /** Let browser apps of other origins call the API (CORS). */
  cors?: boolean;
  /** Token that the control API requires. Without it, the control API refuses clients on other machines. */
  adminToken?: string;
  /** Format of the access log, on the stderr of this process. Default: `off`. */
  logFormat?: "text" | "json" | "off";
  /** Port to listen on. Default: a free port. */
  port?: number;
}

/** The settings of one sandbox. The default of each is the setting of the server. */
export interface SandboxSettings {
  /** Seed of the generated records and of random faults. */
  seed?: number;
  /** Number of generated conversations of agent demo. */
  conversations?: number;
  /** ID of the user of agent demo with the most conversations. */
  demoUser?: string;
  /** Agents that replace the server's. */
  fixture?: Fixture;
  /** Changes behaviours that the vendor leaves unclear. */
  readings?: Readings;
  faults?: Fault[];
  /** `null`: no limit. */
  rateLimit?: RateLimit | null;
  hazards?: (Hazard | `${Operation}:${Hazard}`)[];
  /** `frozen`: only `advance` changes the clock. */
  clock?: "real" | "frozen";
}

/** The settings of a test's sandbox for the helpers of Vitest, Jest and node:test. */
export interface TestSettings extends SandboxSettings {
  /** Fail the test if the verdict on its requests has findings. A test without requests does not fail. */
  clean?: boolean;
}

/** A rule of the contract that a request breaks. */
export interface Violation {
  rule: string;
  /** What the client sent, and what would be valid, if that is known. */
  what: string;
}

/** A request in the journal. Only the last four characters of an API key are shown. */
export interface RecordedRequest {
  /** The number of the request on its server, from 1. */
  number: number;
  /** The id of the sandbox. */
  sandbox: string;
  /** When the request arrived. */
  at: Date;
  /** The IP address of the client. */
  client: string;
  method: string;
  /** Path and query as they were sent: `/s/login/v1/messages?page=1`. */
  target: string;
  /** The path without the prefix of the sandbox: `/v1/messages`. */
  path: string;
  query: [name: string, value: string][];
  headers: Record<string, string>;
  /** `null` if the path belongs to no endpoint. */
  operation: Operation | null;
  /** The status of the response; `null` if a fault broke the connection. */
  status: number | null;
  /** The vendor's code if the request was refused, otherwise `null`. */
  code: number | null;
  /** Why the request was refused, as in `x-mock-reason`; empty if it was not refused. */
  reason: string;
  /** The id of the fault that was applied; empty if there was none. */
  fault: string;
  violations: Violation[];
  durationMs: number;
  /** Whether the client disconnected before it had read the whole response. */
  unread: boolean;
}

/** A mistake of a client, which usually got no error response. */
export interface Finding {
  /** The rule that was broken. */
  rule: string;
  /** The id of the sandbox. */
  sandbox: string;
  /** What the client did, with names and values. */
  what: string;
  /** Why it matters. */
  why: string;
  /** The journal numbers of requests that show it; at most five. */
  requests: number[];
  /** The methods and targets of those requests that are still in the journal. */
  request_lines: { number: number; method: string; target: string }[];
  /** How often the client did it. */
  times: number;
}

/** The report on requests: what clients did wrong; docs/journal-and-verdict.md lists the rules. */
export interface Verdict {
  /** Whether there are no findings. */
  clean: boolean;
  /** How many requests were checked. */
  requests: number;
  findings: Finding[];
  /** How much of the contract the requests cover, and the parts that no request covers. */
  coverage: { percent: number; met: number; of: number; never_met: string[] };
}

export interface VerdictOptions {
  /** Ignores the findings of these rules. */
  mute?: string[];
}

/** The control API refused a request. The message says what would be valid. */
export declare class ControlError extends Error {
  private constructor();
  readonly status: number;
}

/** `assertClean` or `assertCleanOrUnused` failed. The message lists the findings. */
export declare class VerdictError extends Error {
  private constructor();
  readonly verdict: Verdict;
}

/**
 * An isolated part of a server. It has its own faults, rate limit, clock and counters, and shares the
 * records. A request belongs to it if it goes to `url` or has the key `apiKey`; one of them is enough.
 */
export declare class Sandbox {
  private constructor();
  readonly id: string;
  /** The base URL, which replaces the vendor's host, without a trailing slash. */
  readonly url: string;
  /** The server's key for this sandbox, `app-demo~ID`; with a fixture, a key of its first agent. */
  readonly apiKey: string;
  /** Creates or replaces the sandbox with these settings. Earlier settings and requests are deleted. */
  configure(settings?: SandboxSettings): Promise<void>;
  /** Adds a fault. It counts requests from now on. */
  fault(fault: Fault): Promise<void>;
  /** Adds a fault that applies only to the next matching request. Earlier faults precede it. */
  failNext(fault: Fault): Promise<void>;
  /**
   * Limits the requests of each key in a time window. `rateLimit`, `hazard`, `hazardOn`, `readings` and
   * `fixture` create the sandbox again, so they throw an error after its first request.
   */
  rateLimit(requests: number, seconds: number): Promise<void>;
  /** Turns on a hazard, a change of the data during paging, for all operations. */
  hazard(hazard: Hazard): Promise<void>;
  /** Turns on a hazard for one operation. */
  hazardOn(operation: Operation, hazard: Hazard): Promise<void>;
  /** Changes behaviours that the vendor leaves unclear. */
  readings(readings: Readings): Promise<void>;
  /** Replaces the server's agents. */
  fixture(fixture: Fixture): Promise<void>;
  /** Advances the sandbox's clock by a number of milliseconds. */
  advance(ms: number): Promise<void>;
  /** Stops the sandbox's clock. After that, only `advance` changes it. */
  freeze(): Promise<void>;
  /** The requests in the sandbox's journal, in the order of their arrival. */
  requests(): Promise<RecordedRequest[]>;
  /** The number of requests that are missing in `requests`, because the journal was full. */
  droppedRequests(): Promise<number>;
  /** The verdict on the sandbox's requests. */
  verdict(options?: VerdictOptions): Promise<Verdict>;
  /** Throws a VerdictError if the verdict has findings, or if there was no request. */
  assertClean(options?: VerdictOptions): Promise<void>;
  /** As `assertClean`, but accepts that there was no request. */
  assertCleanOrUnused(options?: VerdictOptions): Promise<void>;
  /** Resets the sandbox to the settings of the last `configure`, and deletes all counts. */
  reset(): Promise<void>;
  /** Ends the sandbox. After that, only the verdict of the server includes its requests. */
  end(): Promise<void>;
  /** As `end`: `await using sandbox = server.sandbox("login")`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A running emulator. `stop` ends it, or the end of this process. */
export declare class Server {
  private constructor();
  /** The base URL, which replaces the vendor's host, without a trailing slash. */
  readonly url: string;
  /** A key of the agent with the generated records; with a fixture, of its first undeleted agent. */
  readonly apiKey: string;
  /** A sandbox by its id, 1 to 64 of `A-Za-z0-9._-`. It is created by its first use. */
  sandbox(id: string): Sandbox;
  /** The requests of all sandboxes in the journal, in the order of their arrival. */
  requests(): Promise<RecordedRequest[]>;
  /** The number of requests that are missing in `requests`, because the journal was full. */
  droppedRequests(): Promise<number>;
  /** The verdict on all requests so far, including those of sandboxes that have ended. */
  verdict(options?: VerdictOptions): Promise<Verdict>;
  /** Throws a VerdictError if the verdict has findings, or if there was no request. */
  assertClean(options?: VerdictOptions): Promise<void>;
  /** As `assertClean`, but accepts that there was no request. */
  assertCleanOrUnused(options?: VerdictOptions): Promise<void>;
  /** Stops the server at once. A server of `connect` keeps running. */
  stop(): Promise<void>;
  /** As `stop`: `await using server = await start()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the emulator on a free port of 127.0.0.1. It ignores variables such as GPTBOTS_MOCK_SEED. */
export declare function start(options?: StartOptions): Promise<Server>;

/** Uses a server that already runs, for example in a container. */
export declare function connect(options: {
  url: string;
  /** Default: `app-demo`. */
  apiKey?: string;
  adminToken?: string;
}): Server;
