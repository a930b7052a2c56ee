#!/bin/sh
# Sets up what the Makefile needs: `setup.sh python LOCK` fills .venv, `setup.sh tools` finds what the tests need of the system.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# Debian packages, where we may install them.
apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "Installing $* with apt-get ..."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >&2
}

# The first Python that is 3.11 or newer; a name may be there and still not start.
find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

make_venv() {
    if command -v uv >/dev/null; then
        uv venv --quiet --python '>=3.11' .venv
        return
    fi
    python=$(find_python) || { apt_install python3 python3-venv && python=$(find_python); } || {
        say "No Python 3.11 or newer was found (tried python3, python3.13, python3.12, python3.11)." \
            "Install one, or uv, and run make again."
        exit 1
    }
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        apt_install "$package" || {
            say "$python can not make a virtual environment. Install $package (or uv) and run make again."
            exit 1
        }
    fi
    "$python" -m venv .venv
    .venv/bin/python -m pip uninstall --quiet --yes setuptools >/dev/null 2>&1 # Python 3.11 brings it; 10 MB that nothing uses
}

install() {
    if command -v uv >/dev/null; then
        uv pip install --quiet --compile-bytecode --python .venv/bin/python "$@"
    else
        .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
    fi
}

setup_python() {
    # A folder without the mark was not finished, or its Python is gone or was replaced: begin afresh.
    if [ ! -e .venv/made ] || ! .venv/bin/python -c 'import hatchling' 2>/dev/null; then
        rm -rf .venv
        make_venv
    fi
    say "Installing $1 into .venv ..."
    install --require-hashes -r "$1"
    install --no-deps --no-build-isolation -e .
    touch .venv/made
}

setup_tools() {
    missing=
    command -v chromium >/dev/null || missing="chromium"
    [ -e /usr/share/doc/python3-doc/html/index.html ] || missing="$missing python3-doc"
    [ -z "$missing" ] && return
    # shellcheck disable=SC2086
    apt_install $missing ||
        say "The browser tests need Debian's packages: $missing. Install them (sudo apt-get install $missing)."
}

case "${1:-}" in
python) setup_python "$2" ;;
tools) setup_tools ;;
*) say "usage: setup.sh python LOCK | tools"; exit 2 ;;
esac
