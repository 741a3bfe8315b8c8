"""The compose file is one, and says to citystream only what citystream understands; the image can be built."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from citystream.app import App
from citystream.cli.deliver import to_deliver
from citystream.config import load
from tests.services.running import unavailable

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose.yaml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
#: The reference implementation's own loader; it takes no environment.
CHECK = Path("~/go/bin/compose-check").expanduser()


def accepted(text: str, folder: Path) -> bool:
    if not CHECK.exists():
        unavailable("compose-check", "golang, then as in .ci/run")
    file = folder / "compose.yaml"
    file.write_text(re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]*\}", "x", text), encoding="utf-8")
    return subprocess.run([str(CHECK), str(file)], capture_output=True, check=False).returncode == 0


def test_the_file_is_a_compose_file(tmp_path: Path) -> None:
    text = COMPOSE.read_text("utf-8")
    assert accepted(text, tmp_path)
    assert not accepted(text.replace("healthcheck:", "healthchek:", 1), tmp_path)


def test_without_a_password_nothing_starts(tmp_path: Path) -> None:
    if not CHECK.exists():
        unavailable("compose-check", "golang, then as in .ci/run")
    shutil.copy(COMPOSE, tmp_path)
    found = subprocess.run([str(CHECK), "compose.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "which password" in found.stderr


def test_nothing_listens_beyond_this_machine() -> None:
    ports = re.findall(r'ports: \["([^"]+)"\]', COMPOSE.read_text("utf-8"))
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_citystream_understands_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = COMPOSE.read_text("utf-8")
    own = text[text.index("  citystream:\n    build") :]
    said = dict(re.findall(r"^ +(CITYSTREAM_\w+): (?:>-\n +)?(.+)$", own, re.MULTILINE))
    said = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in said.items()}
    assert {"CITYSTREAM_LOG", "CITYSTREAM_SINKS", "CITYSTREAM_DATASETS"} <= said.keys()
    app = App(load({"data": str(tmp_path)}, said))
    assert len(to_deliver(app, ())) == 2
    for name in app.config.listed("datasets"):
        app.log(app.library.get(name))


def test_the_image_has_what_it_is_built_from(tmp_path: Path) -> None:
    """The package is built from nothing but the files that the Dockerfile copies, its browser files by npm."""
    if not shutil.which("npm"):
        unavailable("npm", "nodejs npm")
    source = tmp_path / "source"
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE):
        *names, into = line.split()
        for name in names:
            place = source / into / (name if into == "./" else "")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("vendor", "__pycache__"))
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, place)
    how = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *how, str(source)], check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    packed = zipfile.ZipFile(wheel).namelist()
    assert "citystream/web/static/vendor/leaflet.js" in packed
    assert "citystream/web/static/index.html" in packed
