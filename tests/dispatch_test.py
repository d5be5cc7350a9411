"""The same bits at every level of vector instructions: dispatch_test.py PROGRAM LEVEL ... (tests/dispatch_program.c).

The portable program gets the functions that glibc has for processors without FMA too; those round exp and its like in
another way.
"""

import os
import subprocess
import sys

NEEDS = {"portable": set(), "avx2": {"avx2", "fma"}, "avx512": {"avx2", "fma", "avx512f"}}


def flags():
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("flags"):
                return set(line.split(":")[1].split())
    return set()


def main():
    programs = list(zip(sys.argv[2::2], sys.argv[1::2]))
    have = flags()
    want = None
    failed = 0
    print(f"1..{len(programs)}")
    for number, (level, program) in enumerate(programs, 1):
        if not NEEDS[level] <= have:
            print(f"ok {number} - {level} # SKIP this processor lacks it")
            continue
        older = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2"} if level == "portable" else {}
        done = subprocess.run([program], capture_output=True, text=True, env=os.environ | older)
        got = done.stdout.split()
        want = want or got
        # the second number counts blocks of states; none would make all hashes equal
        good = done.returncode == 0 and len(got) == 2 and int(got[1]) > 500 and got == want
        failed += not good
        print(f"{'' if good else 'not '}ok {number} - {level}")
        if not good:
            print(f"# got {got}, want {want}; {done.stderr.strip()}".replace("\n", "\n# "))
    return failed > 0


sys.exit(main())
