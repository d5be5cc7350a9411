"""The ledger: every claim has its expected verdict, every claim there is was asked, and numbers known from elsewhere.
SPDX-License-Identifier: GPL-3.0-or-later"""

import json
import os
import subprocess
import sys

from tap import PROGRAM, analyse, answer_of, check, end

EXAMPLES = os.path.join(os.path.abspath(sys.argv[2]), "examples")


def known_ids():
    """All ids that the sets declare."""
    sets = [s["name"] for s in answer_of(analyse("list", "claims", "--json"))]
    return {s: answer_of(analyse("describe", s, "--json"))["claims"] for s in sets}


def flat(ledger):
    return [(page["set"], c) for page in ledger["pages"] for c in page["claims"]]


def verdicts(ledger):
    found = flat(ledger)
    check(len(found) == ledger["claims"], "claims are counted", ledger["claims"])
    for page in ledger["pages"]:
        wrong = [c for c in page["claims"] if c["verdict"] != c["expected"]]
        check(not wrong, f"{page['set']}, {page['label']}: {len(page['claims'])} verdicts as expected",
              json.dumps([page["experiment"], wrong], indent=1))
    declared = known_ids()
    for name, ids in declared.items():
        seen = {c["id"] for s, c in found if s == name}
        check(seen == set(ids), f"{name}: standard experiments show all claims that are declared, and no others",
              f"missing {set(ids) - seen}, not declared {seen - set(ids)}")
    every = [i for ids in declared.values() for i in ids]
    check(len(every) == len(set(every)), "ids are unique")
    for s, c in found:
        if c["verdict"] == "fails" and not c["counterexample"]:
            check(False, f"{c['id']} fails with a counterexample", c)


def command():
    r = analyse("claims", "short-minmum")
    check(r.returncode == 2 and b"did you mean 'short-minimum'" in r.stderr, "an unknown claim, with the nearest", r.stderr)
    r = analyse("claims", "short-minimum", "sine-value", "--json")
    check(r.returncode == 0 and {c["id"] for _, c in flat(json.loads(r.stdout))} == {"short-minimum", "sine-value"},
          "named claims alone")
    r = analyse("claims", problem__p=4)
    check(r.returncode == 2 and b"--on" in r.stderr, "standard experiments are not changed", r.stderr)
    r = analyse("claims", "--on", os.path.join(EXAMPLES, "shadow.yaml"), "--json")
    own = json.loads(r.stdout)
    check(r.returncode == 0 and own["pages"] and all(p["experiment"] is None for p in own["pages"]), "an experiment of one's own")
    check({c["id"] for s, c in flat(own) if s == "shadows"} == {"shadow-delta", "shadow-saddle", "shadow-perturbed-saddle"}, "the claims that apply to it")
    check(all(p["skipped"] for p in own["pages"] if p["set"] in ("conjugates", "actions")), "and why others do not")
    # x = 1/(2t) on x^4 is a surprise for the source, but on one's own file a verdict is a result
    r = subprocess.run([PROGRAM, "claims", "--on", "/dev/stdin"], capture_output=True,
                       input=b"{problem: {name: power, p: 4}, method: nesterov, integrator: {name: rk4, step: 0.1}, until: 20, "
                             b"start: {t: 1, x: [0.5], v: [-0.5]}}")
    check(r.returncode == 0 and b"flat-minimum                 fails" in r.stdout, "a counterexample is a result", r)


def main():
    r = analyse("claims", "--json", "--threads", "1")
    check(r.returncode == 0, "all standard claims: exit status 0", r.stderr.decode())
    ledger = json.loads(r.stdout)
    verdicts(ledger)
    command()


main()
sys.exit(end())
