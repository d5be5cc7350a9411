#!/usr/bin/env python3
"""What the README, the docs and the examples show is what happens: extracts, runs and compares. TAP.

usage: readme_test.py SOURCE BUILD PROGRAM COMPILER readme|docs

`docs` runs every command line `optdyn ...` of README.md and docs/*.md, in the order of each document, in a folder of its own
that holds the examples. Commands stand in fenced or indented blocks or, with their arguments, between backticks. Before
that, a fenced block after a line "... `name.yaml`:" is written to that file. Lines below "$ optdyn ..." are what the
command has to print, with "..." for lines left out; if they begin with "optdyn: " it has to refuse with that sentence. Blocks in Python, Octave and Julia are run, and what they print is
compared with the block `text` that follows them.

SPDX-License-Identifier: GPL-3.0-or-later
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

source, build, program, compiler, part = sys.argv[1:6]
readme = open(os.path.join(source, "README.md")).read()
results = []

# Command lines that are not run here, each with the reason. A line that no document shows any more is an error.
NOT_RUN = {
    # other tests run these, on what they need
    "optdyn resume DIR": "needs an interrupted run: resume_test.py",
    "optdyn resume DIR --shard 3/8": "needs an interrupted shard: resume_test.py",
    "optdyn merge DIR...": "needs all shards: resume_test.py",
    "optdyn run problem.yaml": "needs the plug-in compiled: plugin_test.py",
    "optdyn check problem problem.yaml": "needs the plug-in compiled: plugin_test.py",
    "optdyn describe ./double_well.so": "needs the plug-in compiled: plugin_test.py",
    # minutes
    "optdyn figure --all --data DIR": "minutes, and needs data: figure_test.py makes figures",
    "optdyn report -o site": "makes all figures, which takes a minute: report_test.py makes a report",
    "optdyn figure fig-17": "minutes, and needs data: figure_test.py makes it of random pictures",
    "optdyn report --full -o site": "minutes: figure_test.py makes figures in full mode",
    "optdyn bench normals": "draws 10^8 numbers",
    "optdyn bench conjugate": "measures speed for minutes",
    "optdyn bench shadow": "measures speed for minutes",
}
INTERPRETER = {"python": ["python3"], "octave": ["octave-cli", "--norc", "--quiet"], "julia": ["julia"]}


def check(name, ok, detail=""):
    results.append(ok)
    print(f"{'ok' if ok else 'not ok'} {len(results)} - {name}")
    if not ok:
        print("# " + str(detail).replace("\n", "\n# "))


def skip(name, why):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {why}")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", readme, re.S).group(1)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, **options)


# ------------------------------------------------------------------------------------------------- the README itself

def readme_experiment(folder):
    """The experiment in the README is the example, and prints what the README says."""
    file = os.path.join(folder, "readme.yaml")
    open(file, "w").write(block("yaml"))
    shown = block("text").split("\n", 1)[1].strip()
    done = run(program, "run", file)
    check("the README's experiment prints the README's result", done.stdout.strip() == shown, done.stdout + done.stderr)
    example = run(program, "run", os.path.join(source, "examples", "nesterov.yaml"))
    check("examples/nesterov.yaml is the README's experiment", example.stdout == done.stdout, example.stdout)


def readme_program(folder):
    """The C program compiles against the public header and the library alone, and agrees."""
    for name, text in [("readme", block("c")), ("example", open(os.path.join(source, "examples", "library.c")).read())]:
        file = os.path.join(folder, name + ".c")
        open(file, "w").write(text)
        binary = os.path.join(folder, name)
        made = run(*compiler.split(), "-std=c11", "-Wall", "-Wextra", "-Werror", file, "-o", binary,
                   "-I" + os.path.join(source, "include"), "-L" + build, "-loptdyn", "-Wl,-rpath," + build)
        check(f"the {name} program compiles", made.returncode == 0, made.stderr)
        if made.returncode == 0:
            ran = run(binary)
            check(f"the {name} program gives the README's gap", ran.returncode == 0 and "0.074651 at t = 1.9" in ran.stdout,
                  ran.stdout + ran.stderr)


def example_twice(folder, path):
    """An example runs, and again from its own resolved experiment, to the bit."""
    name = os.path.basename(path)
    first, second = os.path.join(folder, name + ".1"), os.path.join(folder, name + ".2")
    done = run(program, "run", path, "--json", "-o", first)
    check(f"examples/{name} runs", done.returncode == 0, done.stderr)
    if done.returncode != 0:
        return
    again = run(program, "run", os.path.join(first, "experiment.yaml"), "--json", "-o", second)
    one, two = json.loads(done.stdout), json.loads(again.stdout or "{}")
    for document in (one, two):
        for member in document.get("members", [document]):
            member.pop("files", None)
    check(f"examples/{name} is remade to the bit", one == two, again.stderr)


def links():
    """Every path that the README and the docs link to exists, and every heading."""
    for path in documents():
        for link in re.findall(r"\]\(([^)\s]+)\)", open(path).read()):
            if ":" in link:
                continue
            file, _, heading = link.partition("#")
            target = os.path.join(os.path.dirname(path), file) if file else path
            good = os.path.exists(target) and (not heading or heading in anchors(target))
            check(f"{os.path.basename(path)} links to {link}", good)
        # a page with a list of its sections lists all of them
        listed = set(re.findall(r"\]\(#([^)\s]+)\)", open(path).read()))
        if len(listed) > 2:
            check(f"{os.path.basename(path)} lists all its sections", set(anchors(path, "##")) <= listed,
                  "not in its list of contents: " + ", ".join(sorted(set(anchors(path, "##")) - listed)))


def anchors(path, level="#+"):
    """The names that a Markdown page gives its headings."""
    headings = re.findall(rf"^{level} (.*)$", re.sub(r"^```.*?^```", "", open(path).read(), flags=re.S | re.M), re.M)
    return [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]


def documents():
    return [os.path.join(source, "README.md")] + sorted(glob.glob(os.path.join(source, "docs", "*.md")))


# ------------------------------------------------------------------------------------------------- commands

def example_command(path):
    """The one command line that the comment of an example gives, or None; it also has to say what the example shows."""
    comment = [line[1:] for line in open(path).read().split("\n") if line.startswith("#")]
    lines = [line.strip() for line in comment if line.strip().startswith("optdyn ")]
    words = [line for line in comment if line.strip() and line.strip() not in lines]
    return lines[0] if len(lines) == 1 and len(words) >= 2 and "examples/" + os.path.basename(path) in lines[0] else None


def fenced(lines, i):
    """A fenced block that begins at line i: its language, its lines, and where it ends."""
    end = next((j for j in range(i + 1, len(lines)) if lines[j].startswith("```")), len(lines))
    return lines[i][3:].strip(), lines[i + 1:end], end + 1


def commands_of(lines):
    """The commands in the lines of a block: (command, what it has to print or None)."""
    for i, line in enumerate(lines):
        found = re.match(r"(\$ )?(optdyn .*?)(?:\s{2,}# .*)?$", line)
        if found:
            until = next((j for j in range(i + 1, len(lines)) if lines[j].startswith("$ ")), len(lines))
            yield found.group(2), lines[i + 1:until] if found.group(1) else None


def inline_commands(text):
    """Commands with arguments between backticks; those with a NAME to fill in, or without arguments, only speak of one."""
    for span in re.findall(r"(?<!`)`(optdyn\s[^`]*)`", text):
        command = " ".join(span.split())
        if command in NOT_RUN or len(command.split()) > 2 and not re.search(r"\b(NAME|DIR)\b", command):
            yield command


def steps(text):
    """What a document says, in order: ("file", name, text), ("command", line, shown) or ("code", language, text, shown)."""
    lines, i, prose = text.split("\n"), 0, []
    while i < len(lines):
        if lines[i].startswith("```"):
            yield from (("command", c, None) for c in inline_commands("\n".join(prose)))
            language, body, after = fenced(lines, i)
            named = re.search(r"`([\w.-]+\.\w+)`[^`]*:$", next((p for p in reversed(prose) if p.strip()), ""))
            if language in INTERPRETER:
                shown = fenced(lines, after + 1)[1] if lines[after + 1:after + 2] == ["```text"] else None
                yield ("code", language, "\n".join(body) + "\n", shown)
            elif named:
                yield ("file", named.group(1), "\n".join(body) + "\n")
            else:
                yield from (("command", c, shown) for c, shown in commands_of(body))
            i, prose = after, []
        elif lines[i].startswith("    "):
            yield from (("command", c, None) for c in inline_commands("\n".join(prose)))
            yield from (("command", c, None) for c, _ in commands_of([lines[i][4:]]))
            i, prose = i + 1, []
        else:
            prose.append(lines[i])
            i += 1
    yield from (("command", c, None) for c in inline_commands("\n".join(prose)))


def same(line, want):
    """Whether two lines have the same words, and numbers that agree to 1e-6; those below 1e-9 may be rounding."""
    number = r"(?<![\w.])([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?!\w)"
    one, two = re.split(number, " ".join(line.split())), re.split(number, " ".join(want.split()))
    return len(one) == len(two) and all(
        abs(float(a) - float(b)) <= 1e-6 * abs(float(b)) + 1e-9 if i % 2 else a == b for i, (a, b) in enumerate(zip(one, two)))


def agrees(printed, shown):
    """Whether the lines are those shown, where "..." stands for any number of lines."""
    lines, gap, i = [line for line in printed.split("\n") if line.strip()], False, 0
    for want in shown:
        if want.strip() == "...":
            gap = True
        elif want.strip():
            while gap and i < len(lines) and not same(lines[i], want):
                i += 1
            if i == len(lines) or not same(lines[i], want):
                return False
            i, gap = i + 1, False
    return gap or i == len(lines)


def run_command(name, command, shown, folder):
    verb = command.split()[1]
    own = f"examples/{verb.replace('-', '_')}.yaml"
    command = re.sub(r"\bFILE\b", own if os.path.exists(os.path.join(folder, own)) else "examples/nesterov.yaml", command)
    command = re.sub(r"\bDIR\b", "results-" + verb, command)
    environment = dict(os.environ, PATH=os.path.dirname(os.path.abspath(program)) + ":" + os.environ["PATH"])
    done = run("bash", "-o", "pipefail", "-c", command, cwd=folder, env=environment)
    if command.split()[1] in ("figure", "report") and shutil.which("gnuplot") is None and "OPTDYN_GNUPLOT" not in os.environ:
        return skip(name, "no gnuplot; the data are written")
    refused = bool(shown) and shown[0].startswith("optdyn: ")
    check(name, done.returncode == (2 if refused else 0), f"exit status {done.returncode}\n{done.stderr}")
    if shown is not None and any(line.strip() for line in shown):
        printed = done.stderr if refused else done.stdout
        check(name + ": prints what is shown", agrees(printed, shown), printed)


def interpreter_of(language, text):
    """What can run a snippet; one in Python needs an interpreter that has the packages which it imports."""
    if language != "python":
        return INTERPRETER[language] if shutil.which(INTERPRETER[language][0]) else None
    packages = "; ".join(re.findall(r"^import \w+", text, re.M)) or "pass"
    return next(([p] for p in ("python3", "/usr/bin/python3") if shutil.which(p) and run(p, "-c", packages).returncode == 0), None)


def run_code(name, language, text, shown, folder):
    interpreter = interpreter_of(language, text)
    if interpreter is None:
        return skip(name, f"no {language} with the packages it needs")
    if "results.h5" in text and not glob.glob(os.path.join(folder, "*", "results.h5")):
        return skip(name, "HDF5 is not built in")
    file = os.path.join(folder, "snippet." + language)
    open(file, "w").write(text)
    done = run(*interpreter, file, cwd=folder)
    check(name, done.returncode == 0, done.stdout + done.stderr)
    if done.returncode == 0 and shown is not None:
        check(name + ": prints what is shown", agrees(done.stdout, shown), done.stdout)


def run_document(path, seen):
    name, count = os.path.basename(path), 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(source, "examples"), os.path.join(folder, "examples"))
        for step in steps(open(path).read()):
            if step[0] == "file":
                open(os.path.join(folder, step[1]), "w").write(step[2])
            elif step[0] == "code":
                count += 1
                run_code(f"{name}: {step[1]}, snippet {count}", *step[1:], folder)
            elif step[1] in NOT_RUN:
                seen.add(step[1])
                skip(f"{name}: {step[1]}", NOT_RUN[step[1]])
            else:
                run_command(f"{name}: {step[1]}", *step[1:], folder)


def run_examples():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(source, "examples"), os.path.join(folder, "examples"))
        for path in sorted(glob.glob(os.path.join(source, "examples", "*.yaml"))):
            command = example_command(path)
            check(f"{os.path.basename(path)} says in two lines what it shows, and one command", command is not None)
            if command is not None:
                run_command(command, command, None, folder)


if part == "readme":
    with tempfile.TemporaryDirectory() as folder:
        readme_experiment(folder)
        readme_program(folder)
        for path in sorted(glob.glob(os.path.join(source, "examples", "*.yaml"))):
            example_twice(folder, path)
    links()
else:
    run_examples()
    seen = set()
    for path in documents():
        run_document(path, seen)
    for command in sorted(set(NOT_RUN) - seen):
        check(f"a document still shows '{command}'", False, "take it out of NOT_RUN")

print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
