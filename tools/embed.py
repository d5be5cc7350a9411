#!/usr/bin/env python3
# Writes files into a C source as constant texts, so that the installed program needs no data files:
# embed.py OUTPUT.c OUTPUT.h FILE... ; fig_06.yaml becomes `const char od_fig_06_yaml[]`.
# SPDX-License-Identifier: GPL-3.0-or-later
import pathlib
import sys

with open(sys.argv[1], "w", encoding="ascii") as out, open(sys.argv[2], "w", encoding="ascii") as header:
    out.write(f'/* Made by tools/embed.py. */\n#include "{pathlib.Path(sys.argv[2]).name}"\n')
    header.write("/* Made by tools/embed.py. */\n")
    for name in sys.argv[3:]:
        path = pathlib.Path(name)
        symbol = "od_" + path.name.replace(".", "_").replace("-", "_")
        # bytes, because C promises only 4095 characters in a string literal; signed, because char may be
        data = [byte - 256 if byte > 127 else byte for byte in path.read_bytes()] + [0]
        lines = [", ".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24)]
        header.write(f"extern const char {symbol}[];\n")
        out.write(f"const char {symbol}[] = {{\n" + ",\n".join(lines) + "};\n")
