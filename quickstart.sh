#!/usr/bin/env bash
# Installs what is needed (Debian 12), builds optdyn and
#   ./quickstart.sh               reproduces the figures and claims into out/, with out/index.html that shows them
#   ./quickstart.sh --with-torch  the same, with networks (installs LibTorch)
#   ./quickstart.sh --full        the same, in publication quality: ten times the paths
#   ./quickstart.sh test          builds with warnings as errors, networks included, and runs all tests
# Safe to run again, also after an update: figures of older experiments stay as out/NAME.old-1. The figures on data are made too if OPTDYN_DATA names the folder of the data sets.
set -euo pipefail
cd "$(dirname "$0")"

packages=(build-essential meson ninja-build pkg-config cmake python3 libsundials-dev libgsl-dev libopenblas-dev
  liblapacke-dev libsleef-dev libyaml-dev libhdf5-dev librandom123-dev zlib1g-dev nettle-dev
  libflint-arb-dev libflint-dev
  libcmocka-dev libboost-dev gnuplot-nox fonts-dejavu-core man-db)
usage() {
  echo "usage: ./quickstart.sh [--with-torch] [--full] | test" >&2
  exit 2
}
action=report
torch=auto
mode=()
for word; do
  case "$word" in
  test) action=test ;;
  --with-torch) torch=enabled ;;
  --full) mode=(--full) ;;
  *) usage ;;
  esac
done
[ "$action" != test ] || [ $# -eq 1 ] || usage
# second opinions of the tests, a browser for the gallery, what the docs read results with, and MPI, which is optional
[ "$action" != test ] || packages+=(
  chromium
  chromium-driver
  hdf5-tools
  libopenmpi-dev
  octave
  openmpi-bin
  python3-h5py
  python3-torch
)
[ "$action" != test ] || torch=enabled
[ "$torch" != enabled ] || packages+=(libtorch-dev)

install_packages() {
  local missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "quickstart: needs root or sudo to install: ${missing[*]}" >&2; exit 1; }
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build FOLDER OPTION...: sets the folder up once, then only rebuilds
build() {
  local folder=$1
  shift
  if [ -f "$folder/build.ninja" ]; then meson setup --reconfigure "$folder" "$@" >/dev/null; else meson setup "$folder" "$@" >/dev/null; fi
  ninja -C "$folder" --quiet
}

install_packages
case "$action" in
report)
  build build --buildtype=release -Dlibtorch="$torch"
  ./build/src/cli/optdyn report "${mode[@]}" -o out
  echo "open out/index.html, which shows the figures and claims; the program is build/src/cli/optdyn, \`meson install -C build\` installs it"
  ;;
test)
  build build-test --buildtype=release -Dwerror=true -Dlibtorch="$torch"
  status=0
  meson test -C build-test --print-errorlogs || status=$?
  # one line that says how many test programs ran
  python3 - build-test/meson-logs/testlog.json <<'PY'
import json, sys
results = [json.loads(line)["result"] for line in open(sys.argv[1])]
passed, skipped = results.count("OK"), results.count("SKIP")
print(f"{passed} passed, {len(results) - passed - skipped} failed, {skipped} skipped")
PY
  exit "$status"
  ;;
esac
