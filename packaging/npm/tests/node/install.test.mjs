// npm installs the packages from a registry that contains only them.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

const TARBALLS = process.env.GPTBOTS_TEST_TARBALLS?.split(":");

let registry;
before(async () => {
  const packages = new Map();
  for (const file of TARBALLS ?? []) {
    const manifest = JSON.parse(execFileSync("tar", ["xzOf", file, "package/package.json"]));
    packages.set(manifest.name, { manifest, content: fs.readFileSync(file) });
  }
  // The packages of all platforms are published together. npm downloads only the one for this platform.
  for (const { manifest } of [...packages.values()]) {
    for (const [name, version] of Object.entries(manifest.optionalDependencies ?? {})) {
      const [platform, cpu] = name.split("/")[1].split("-");
      const other = { name, version, os: [platform], cpu: [cpu] };
      if (!packages.has(name)) packages.set(name, { manifest: other, content: "" });
    }
  }
  registry = http.createServer((request, response) => {
    const name = decodeURIComponent(request.url.slice(1).replace(/\.tgz$/, ""));
    const found = packages.get(name);
    if (found === undefined) return response.writeHead(404).end("{}");
    if (request.url.endsWith(".tgz")) return response.end(found.content);
    const { manifest, content } = found;
    const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
    const tarball = `http://${request.headers.host}/${name}.tgz`;
    const version = { ...manifest, dist: { tarball, integrity } };
    const versions = { [manifest.version]: version };
    response.end(JSON.stringify({ name, "dist-tags": { latest: manifest.version }, versions }));
  });
  await once(registry.listen(0, "127.0.0.1"), "listening");
});
after(() => registry.close());

/** An empty project, and a function that runs npm in it. */
function project(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gptbots-mock-project-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, "package.json"), '{"private": true}');
  const run = async (command, ...args) => {
    const child = spawn(command, args, { cwd: folder });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (data) => (text += data));
    }
    const [status] = await once(child, "close");
    return { status, text };
  };
  const options = [
    `--registry=http://127.0.0.1:${registry.address().port}`,
    `--cache=${path.join(folder, "cache")}`,
    ...["--no-audit", "--no-fund", "--no-update-notifier"],
  ];
  const npm = async (...args) => {
    const { status, text } = await run("npm", ...args, ...options);
    assert.equal(status, 0, text);
  };
  return { folder, npm, mock: () => run("node_modules/.bin/gptbots-mock", "--version") };
}

const NEEDS_TARBALLS = { skip: TARBALLS === undefined && "GPTBOTS_TEST_TARBALLS is not set" };

test("install, and ci from the lock file that it writes", NEEDS_TARBALLS, async (t) => {
  const { folder, npm, mock } = project(t);
  await npm("install", "gptbots-mock");
  assert.equal((await mock()).status, 0);
  fs.rmSync(path.join(folder, "node_modules"), { recursive: true });
  await npm("ci");
  assert.equal((await mock()).status, 0);
  const lock = JSON.parse(fs.readFileSync(path.join(folder, "package-lock.json"), "utf8"));
  assert.ok(Object.values(lock.packages).every((entry) => !entry.hasInstallScript));
});

test("install without optional dependencies is told by the command", NEEDS_TARBALLS, async (t) => {
  const { npm, mock } = project(t);
  await npm("install", "--omit=optional", "gptbots-mock");
  const { status, text } = await mock();
  assert.equal(status, 127);
  assert.match(text, /--omit=optional/);
});

test("the package of another platform is not installed", NEEDS_TARBALLS, async (t) => {
  const { npm, mock } = project(t);
  await npm("install", "--os=win32", "--cpu=arm64", "gptbots-mock");
  assert.equal((await mock()).status, 127);
});
