#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What every workflow of a folder must be: pinned, of few rights, without expressions in shell. One line
# for each thing that it is not.
#
#   tests/workflows/check.py FOLDER      from the root of the repository
import os
import re
import sys

import yaml

WRONG = []


def check_step(say, step, first):
    uses, run = step.get("uses", ""), step.get("run", "")
    if bool(uses) == bool(run):
        say("a step is either `uses` or `run`")
    if uses and not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", uses):
        say(f"{uses} is not pinned to a commit")
    if first and not uses.startswith("actions/checkout@"):
        say("the first step is no checkout")
    if uses.startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
        say("the checkout leaves its token behind")
    if "${{" in run:
        say(f"an expression in shell: {run}")
    if run and (not re.fullmatch(r"\.?ci/[\w-]+( [\w/.-]+)*", run) or not os.access(run.split()[0], os.X_OK)):
        say(f"`{run}` is no call of a script of ours")


def check_job(say, workflow, job):
    if not isinstance(job.get("permissions"), dict) or workflow.get("permissions") != {}:
        say("permissions: none for the workflow, a list for each job")
    if "write-all" in str(job.get("permissions")):
        say("write-all")
    if not job.get("timeout-minutes"):
        say("no timeout-minutes")
    if not (job.get("concurrency") or workflow.get("concurrency")):
        say("no concurrency group")
    if "pull_request_target" in str(workflow.get("on")):
        say("pull_request_target runs strangers' code with our rights")
    for number, step in enumerate(job["steps"]):
        check_step(say, step, number == 0)


def check_novelty(workflows):
    """A crash of a pull request is its own only where a build of main can be asked."""
    steps = [s.get("with", {}) for w in workflows for j in w["jobs"].values() for s in j["steps"]]
    if any(s.get("mode") == "code-change" for s in steps) and not any(s.get("upload-build") for s in steps):
        WRONG.append("pull requests are fuzzed, and no workflow has upload-build")


def main(folder):
    workflows = []
    names = sorted(n for n in os.listdir(folder) if n.endswith((".yml", ".yaml")))
    for name in names:
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as text:
            lines = text.read()
        workflow = yaml.safe_load(lines)
        for line in re.findall(r"uses: .*", lines):
            if not re.search(r"  # v\d+(\.\d+)*$", line):
                WRONG.append(f"{name}: no version behind {line}")
        workflows.append(workflow)
        for key, job in workflow["jobs"].items():
            check_job(lambda words, n=name, k=key: WRONG.append(f"{n}: {k}: {words}"), workflow, job)
    check_novelty(workflows)
    print(f"{len(names)} workflows", *WRONG, sep="\n")
    return 1 if WRONG or not names else 0


sys.exit(main(sys.argv[1]))
