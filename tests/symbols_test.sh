#!/bin/sh
# The shared library exports what the public header names, and nothing without the prefix; so does the program, for
# plug-ins. TAP.
# usage: symbols_test.sh LIBRARY HEADER PROGRAM
# SPDX-License-Identifier: GPL-3.0-or-later
echo 1..3
symbols=$(nm -D --defined-only "$1" | awk '{print $3}' | sed 's/@.*//')
stray=$(printf '%s\n' "$symbols" | grep -v '^od_' | tr '\n' ' ')
if [ -n "$symbols" ] && [ -z "$stray" ]; then echo "ok 1 - every exported symbol starts with od_"; else echo "not ok 1 - stray symbols: $stray"; fi
unnamed=
for symbol in $symbols; do
  grep -qw "$symbol" "$2" || unnamed="$unnamed $symbol"
done
if [ -z "$unnamed" ]; then echo "ok 2 - every exported symbol is in the public header"; else echo "not ok 2 - not in the header:$unnamed"; fi
exported=$(nm -D --defined-only "$3" | awk '{print $3}' | grep '^od_')
missing=$(printf '%s\n' "$symbols" | grep -vxF "$exported" | tr '\n' ' ')
if [ -n "$exported" ] && [ -z "$missing" ]; then echo "ok 3 - the program exports what the library does"; else echo "not ok 3 - missing:$missing"; fi
