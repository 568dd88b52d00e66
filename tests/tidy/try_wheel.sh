#!/bin/sh
# Installs dist/p2pvalue-*.whl into a fresh environment with plain pip, as a user would, where every
# compiler fails, and looks whether it is complete. Usage: try_wheel.sh PYTHON. Needs the package index.
set -eu
python=${1:-python3}
wheel=$(ls -t dist/p2pvalue-*.whl | head -n 1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

mkdir "$folder/bin"
for compiler in cc gcc c++ g++ clang clang++ c99 rustc cargo; do
    printf '#!/bin/sh\necho "try-wheel: %s was called" >&2\nexit 1\n' "$compiler" >"$folder/bin/$compiler"
    chmod +x "$folder/bin/$compiler"
done

"$python" -m venv "$folder/venv"
PATH="$folder/bin:$PATH" CC=/bin/false CXX=/bin/false \
    "$folder/venv/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check "$wheel"
"$folder/venv/bin/python" -m pip check
cd "$folder"
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import distribution, version
from pathlib import Path

from p2pvalue.network.vendored import VENDOR, ensure_libp2p_importable

ensure_libp2p_importable()
ensure_libp2p_importable()
import libp2p
from libp2p.pubsub.gossipsub import GossipSub

assert Path(libp2p.__file__).is_relative_to(VENDOR), libp2p.__file__
licences = sorted(path.name for path in VENDOR.glob("libp2p-*.dist-info/licenses/*"))
assert licences == ["LICENSE-APACHE", "LICENSE-MIT"], licences
print(f"p2pvalue {version('p2pvalue')} carries libp2p {distribution('libp2p').version}")
END

"$folder/venv/bin/p2pvalue" version
"$folder/venv/bin/p2pvalue" --data-dir "$folder/data" init --name Ada
