"""Tests the scripts of the release workflow with dummy packages: packaging/tests/test_release.py [DIST]

DIST is a folder that `cargo xtask dist` wrote. With it, the templates for cargo-binstall are compared with
the tarball. Needs only Python 3.11 or newer.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import unittest
from pathlib import Path

PACKAGING = Path(__file__).resolve().parent.parent
ROOT = PACKAGING.parent
URL = "https://github.com/someone/gptbots-mock"
NPM = "packaging/npm/gptbots-mock/package.json"
ACTION = "packaging/action/README.md"
DIST = None

TARGETS = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*words):
    return subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class CollectTest(InFolder):
    def setUp(self):
        super().setUp()
        self.made = self.folder / "made"
        self.out = self.folder / "out"
        for target in TARGETS:
            self.write(target, "gptbots-mock-1.2.3.tgz", "the same everywhere")
            self.write(target, f"gptbots-mock-1.2.3-{target}.tar.gz", target)

    def write(self, target, name, text):
        folder = self.made / f"dist-{target}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        files = sorted(file for file in folder.iterdir() if not file.name.startswith("SHA256SUMS"))
        sums = "".join(f"{sha256(file)}  {file.name}\n" for file in files)
        (folder / f"SHA256SUMS-{target}").write_text(sums)

    def collect(self):
        return run(PACKAGING / "collect", self.made, self.out, URL)

    def assert_refused(self, text):
        done = self.collect()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(text, done.stdout)

    def test_all_packages_with_their_sums_and_a_formula(self):
        done = self.collect()
        self.assertEqual(done.returncode, 0, done.stdout)
        names = {file.name for file in self.out.iterdir()}
        tarballs = {f"gptbots-mock-1.2.3-{target}.tar.gz" for target in TARGETS}
        self.assertEqual(
            names, tarballs | {"gptbots-mock-1.2.3.tgz", "gptbots-mock.rb", "SHA256SUMS"}
        )
        lines = (self.out / "SHA256SUMS").read_text().splitlines()
        self.assertEqual(
            {line.split("  ")[1]: line.split("  ")[0] for line in lines},
            {name: sha256(self.out / name) for name in names - {"SHA256SUMS"}},
        )
        formula = (self.out / "gptbots-mock.rb").read_text()
        pairs = re.findall(r'^ +url "(.*)"\n +sha256 "(.*)"$', formula, re.MULTILINE)
        base = f"{URL}/releases/download/v1.2.3/"
        self.assertEqual(
            dict(pairs),
            {base + name: sha256(self.out / name) for name in tarballs if "windows" not in name},
        )
        self.assertIn('version "1.2.3"', formula)
        self.assertNotIn("@", formula)

    def test_a_changed_file_is_refused(self):
        file = self.made / f"dist-{TARGETS[0]}" / f"gptbots-mock-1.2.3-{TARGETS[0]}.tar.gz"
        file.write_text("changed")
        self.assert_refused("a file does not match its checksum")

    def test_a_file_without_a_sum_is_refused(self):
        (self.made / f"dist-{TARGETS[0]}" / "more.tgz").write_text("more")
        self.assert_refused("more.tgz has no checksum")

    def test_a_missing_target_is_named(self):
        shutil.rmtree(self.made / "dist-aarch64-apple-darwin")
        self.assert_refused("gptbots-mock-1.2.3-aarch64-apple-darwin.tar.gz is missing")

    def test_a_main_package_that_differs_is_refused(self):
        self.write(TARGETS[2], "gptbots-mock-1.2.3.tgz", "another text")
        self.assert_refused("gptbots-mock-1.2.3.tgz differs between targets")

    def test_two_versions_are_refused(self):
        self.write(TARGETS[2], "gptbots-mock-1.2.4.tgz", "the next version")
        self.assert_refused("must have packages of exactly one version, got: ")


class CheckReleaseTest(InFolder):
    """Runs on a copy of the files, changed so that version 1.2.3 could be released."""

    def setUp(self):
        super().setUp()
        for path in ("Cargo.toml", "Cargo.lock", NPM, ACTION, "packaging/check-release"):
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.folder / path)
        version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
        in_lock = 'name = "gptbots-mock"\nversion = "{}"'
        self.edit("Cargo.toml", f'\nversion = "{version}"', '\nversion = "1.2.3"')
        manifest = re.sub(r"\nrepository = .*", "", (self.folder / "Cargo.toml").read_text())
        manifest = manifest.replace("\nedition", f'\nrepository = "{URL}"\nedition', 1)
        (self.folder / "Cargo.toml").write_text(manifest)
        self.edit("Cargo.lock", in_lock.format(version), in_lock.format("1.2.3"))
        npm = json.loads((self.folder / NPM).read_text())
        npm["version"] = "1.2.3"
        npm["repository"] = {"type": "git", "url": f"git+{URL}.git"}
        npm["optionalDependencies"] = dict.fromkeys(npm["optionalDependencies"], "1.2.3")
        (self.folder / NPM).write_text(json.dumps(npm))
        action = self.folder / ACTION
        shown = re.sub(r"uses: \S+/(packaging/action\S*)@\S+", r"uses: someone/gptbots-mock/\1@v1.2.3", action.read_text())
        action.write_text(shown)
        (self.folder / "CHANGELOG.md").write_text(
            "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-12-01\n\n### Added\n\n- This.\n\n"
            "## 1.2.2 - 2026-11-01\n\n- That.\n"
        )

    def edit(self, path, old, new):
        file = self.folder / path
        text = file.read_text()
        self.assertEqual(text.count(old), 1, f"{path}: {old}")
        file.write_text(text.replace(old, new))

    def check(self, tag="v1.2.3"):
        return run(self.folder / "packaging/check-release", tag, f"{URL}/")

    def assert_refused(self, *texts, **given):
        done = self.check(**given)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), len(texts), done.stdout)
        for line, text in zip(done.stdout.splitlines(), texts):
            self.assertIn(text, line)

    def test_a_release_that_is_right_prints_its_changes(self):
        done = self.check()
        self.assertEqual((done.returncode, done.stdout), (0, "### Added\n\n- This.\n"))

    def test_another_tag_is_refused(self):
        self.assert_refused("Cargo.toml: version is '1.2.3', but must be '1.2.4'", tag="v1.2.4")
        self.assert_refused("the tag is 1.2.3, but must be v1.2.3", tag="1.2.3")

    def test_every_mistake_is_told_at_once(self):
        self.edit("Cargo.lock", 'name = "gptbots-mock"\nversion = "1.2.3"', 'name = "gptbots-mock"\nversion = "1"')
        self.edit(NPM, '"@gptbots-mock/linux-x64": "1.2.3"', '"@gptbots-mock/linux-x64": "1.2.2"')
        self.edit(NPM, "git+https", "https")
        self.edit(ACTION, "packaging/action@v1.2.3", "packaging/action@v1.2.2")
        self.edit("CHANGELOG.md", "## 1.2.3 - 2026-12-01", "## 1.2.3")
        self.assert_refused(
            "Cargo.lock: version", "repository.url", "optionalDependencies", ACTION, "CHANGELOG.md"
        )

    def test_a_missing_repository_is_refused(self):
        text = (self.folder / "Cargo.toml").read_text()
        (self.folder / "Cargo.toml").write_text(re.sub(r"\nrepository = .*", "", text))
        self.assert_refused("Cargo.toml: repository is None")


class BinstallTest(unittest.TestCase):
    """Compares the URL and the path that `cargo binstall` uses with the packages."""

    def test_templates_fit_the_tarball(self):
        if DIST is None:
            self.skipTest("no folder of packages was given")
        [tarball] = DIST.glob("*.tar.gz")
        [sums] = DIST.glob("SHA256SUMS-*")
        target = sums.name.removeprefix("SHA256SUMS-")
        crate = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
        binstall = crate["metadata"]["binstall"]
        for host in (target, target.replace("-gnu", "-musl")):
            templates = binstall | binstall["overrides"].get(host, {})
            values = {
                "repo": URL,
                "name": crate["name"],
                "version": crate["version"],
                "target": host,
                "bin": "gptbots-mock",
                "binary-ext": "",
            }

            def fill(template, values=values):
                return re.sub(r"\{ ([a-z-]+) \}", lambda match: values[match[1]], template)

            place = f"{URL}/releases/download/v{crate['version']}/{tarball.name}"
            self.assertEqual(fill(templates["pkg-url"]), place)
            with tarfile.open(tarball) as archive:
                program = archive.getmember(fill(templates["bin-dir"]))
            self.assertEqual(program.mode & 0o111, 0o111)


if __name__ == "__main__":
    if len(sys.argv) > 1 and Path(sys.argv[1]).is_dir():
        DIST = Path(sys.argv.pop(1))
    unittest.main()
