#!/bin/sh
# Puts firmware, wiring and keys on a board that is plugged in, and waits until it is online.
#
#   ./flash.sh --board door-esp32 --name front    --help tells the rest
#   ./flash.sh --setup                            install what it needs, and stop there
exec "$(dirname "$0")/start.sh" flash "$@"
