"""Puts the dashboard's browser files, which come from npm by the lock file, where the package serves them.

Hatch calls it for every wheel, sdist and editable install; ``python hatch_build.py`` does the same by hand. The files
are not in the repository: an sdist brings them along, a checkout needs npm once. Without npm a wheel is not built,
an editable install goes on and ``citystream serve`` says what is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __name__ != "__main__":
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
else:  # run by hand, before anything is installed

    class BuildHookInterface:
        """Stands in for the class of hatchling."""


ROOT = Path(__file__).parent
VENDOR = ROOT / "src/citystream/web/static/vendor"
MISSING = (
    "the dashboard's browser files are not there and npm is not either: install Node.js with npm "
    "(Debian: apt-get install nodejs npm) and run this again"
)

#: From the name of a served file to the package it comes from and its path there.
FILES = {
    "preact.js": ("preact", "dist/preact.mjs"),
    "preact-hooks.js": ("preact", "hooks/dist/hooks.mjs"),
    "signals-core.js": ("@preact/signals-core", "dist/signals-core.mjs"),
    "signals.js": ("@preact/signals", "dist/signals.mjs"),
    "htm.js": ("htm", "dist/htm.mjs"),
    "htm-preact.js": ("htm", "preact/index.mjs"),
    "leaflet.js": ("leaflet", "dist/leaflet-src.esm.js"),
    "leaflet.css": ("leaflet", "dist/leaflet.css"),
    "inter-latin.woff2": ("@fontsource-variable/inter", "files/inter-latin-opsz-normal.woff2"),
    "inter-latin-ext.woff2": ("@fontsource-variable/inter", "files/inter-latin-ext-opsz-normal.woff2"),
}
#: Browsers know paths, not packages; an import map would have to be inline, which the page's CSP forbids.
MODULES = {
    "preact": "preact.js",
    "preact/hooks": "preact-hooks.js",
    "@preact/signals-core": "signals-core.js",
    "@preact/signals": "signals.js",
    "htm": "htm.js",
    "htm/preact": "htm-preact.js",
    "leaflet": "leaflet.js",
}
HOMES = {
    "preact": "github.com/preactjs/preact",
    "@preact/signals": "github.com/preactjs/signals",
    "@preact/signals-core": "github.com/preactjs/signals",
    "htm": "github.com/developit/htm",
    "leaflet": "leafletjs.com",
    "@fontsource-variable/inter": "rsms.me/inter",
}


class BuildHook(BuildHookInterface):
    """Called by hatch before it collects the files of a *version*."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the browser files, unless an sdist brought them."""
        if is_ready():
            return
        if shutil.which("npm"):
            vendor()
        elif version == "editable":
            self.app.display_warning(MISSING)
        else:
            raise SystemExit(MISSING)


def is_ready() -> bool:
    """Whether the files are there, made by this lock file and this script."""
    made = VENDOR / "licences.json"
    return made.is_file() and json.loads(made.read_text(encoding="utf-8"))["made_by"] == fingerprint()


def fingerprint() -> str:
    """Changes when other files would come out."""
    parts = (ROOT / "package-lock.json", Path(__file__))
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]


def vendor() -> None:
    """Install by the lock file and copy what browsers load."""
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=ROOT, check=True)
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, (package, path) in FILES.items():
        copy(ROOT / "node_modules" / package / path, VENDOR / name)
    for package, name in MODULES.items():
        text = 'export { default } from "htm";\n' if package == "htm" else f'export * from "{package}";\n'
        (VENDOR / name.replace(".js", ".d.ts")).write_text(text, encoding="utf-8")
    (VENDOR / "licences.json").write_text(json.dumps(licences(), indent=1) + "\n", encoding="utf-8")


def copy(source: Path, target: Path) -> None:
    """Copy, with names of packages made paths, and without the maps that are not shipped."""
    if target.suffix != ".js":
        shutil.copyfile(source, target)
        return
    text = re.sub(r"//# sourceMappingURL=\S+\s*$", "", source.read_text(encoding="utf-8"))
    for package, name in MODULES.items():
        text = re.sub(rf'(from\s*|import\s*)"{re.escape(package)}"', rf'\1"./{name}"', text)
    target.write_text(text, encoding="utf-8")


def licences() -> dict[str, Any]:
    """What the About panel lists: each package with its version, licence and the licence's text."""
    packages = []
    for package in dict.fromkeys(package for package, _ in FILES.values()):
        home = ROOT / "node_modules" / package
        said = json.loads((home / "package.json").read_text(encoding="utf-8"))
        text = (home / "LICENSE").read_text(encoding="utf-8")
        packages.append(
            {
                "package": package,
                "version": said["version"],
                "licence": said["license"],
                "home": HOMES[package],
                "text": text,
            }
        )
    return {"made_by": fingerprint(), "packages": packages}


if __name__ == "__main__":
    if is_ready():
        (VENDOR / "licences.json").touch()  # as new as what it was made from, for make
        raise SystemExit(0)
    if not shutil.which("npm"):
        raise SystemExit(MISSING)
    vendor()
    print(f"wrote {len(FILES)} browser files to {VENDOR.relative_to(ROOT)}", file=sys.stderr)
