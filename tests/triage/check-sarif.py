#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a forge refuses a SARIF file for, checked without a forge: the members that SARIF 2.1.0 and
GitHub's upload require, their types, and the limits of an upload.

  check-sarif.py FILE [ROOT]    with ROOT every location must be a file below it
"""
import gzip
import json
import os
import re
import sys
import urllib.parse

LEVELS = {"none", "note", "warning", "error"}
failures = []


def need(claim, words):
    if not claim:
        failures.append(words)


def text(owner, member, most, where):
    value = owner.get(member)
    need(isinstance(value, dict) and isinstance(value.get("text"), str) and value["text"],
         f"{where}: no {member}.text")
    if isinstance(value, dict):
        need(len(value.get("text", "")) <= most, f"{where}: {member}.text is longer than {most}")


def check_rule(rule, where):
    need(isinstance(rule.get("id"), str) and rule["id"], f"{where}: no id")
    need(len(rule.get("name", "")) <= 255, f"{where}: name is longer than 255")
    text(rule, "shortDescription", 1024, where)
    text(rule, "fullDescription", 1024, where)
    text(rule, "help", 65536, where)
    need(rule.get("defaultConfiguration", {}).get("level") in LEVELS, f"{where}: no level")
    need(len(rule.get("properties", {}).get("tags", [])) <= 10, f"{where}: more than 10 tags")


def check_location(location, where, root):
    physical = location.get("physicalLocation", {})
    uri = physical.get("artifactLocation", {}).get("uri", "")
    need(uri and not uri.startswith("/") and ".." not in uri.split("/"), f"{where}: uri {uri!r}")
    need(re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri), f"{where}: uri {uri!r} is not encoded")
    if root:
        need(os.path.isfile(os.path.join(root, urllib.parse.unquote(uri))),
             f"{where}: no file {uri}")
    for member in ("startLine", "startColumn", "endLine", "endColumn"):
        value = physical.get("region", {}).get(member)
        need(isinstance(value, int) and value >= 1, f"{where}: {member} is {value!r}")


def check_result(result, rules, where, root):
    index = result.get("ruleIndex")
    need(isinstance(index, int) and 0 <= index < len(rules) and
         rules[index].get("id") == result.get("ruleId"), f"{where}: ruleId and ruleIndex differ")
    need(result.get("level") in LEVELS, f"{where}: level {result.get('level')!r}")
    text(result, "message", 1024, where)
    locations = result.get("locations", [])
    need(1 <= len(locations) <= 100, f"{where}: {len(locations)} locations")
    for location in locations:
        check_location(location, where, root)
    prints = result.get("partialFingerprints", {})
    need(prints.get("instarFuzzSignature/v1") == result.get("ruleId"), f"{where}: fingerprint")
    need(re.fullmatch(r"[0-9a-f]+:\d+", prints.get("primaryLocationLineHash", "")),
         f"{where}: primaryLocationLineHash")


def check_run(run, root):
    driver = run.get("tool", {}).get("driver", {})
    need(driver.get("name") == "instar-fuzz", "driver.name")
    need(isinstance(driver.get("version"), str) and driver["version"], "driver.version")
    need(urllib.parse.urlparse(driver.get("informationUri", "")).scheme == "https",
         "driver.informationUri")
    rules, results = driver.get("rules"), run.get("results")
    need(isinstance(rules, list) and len(rules) <= 25000, "driver.rules")
    need(isinstance(results, list) and len(results) <= 25000, "results")
    need(len({rule.get("id") for rule in rules}) == len(rules), "a rule is there twice")
    for number, rule in enumerate(rules):
        check_rule(rule, f"rule {number}")
    for number, result in enumerate(results):
        check_result(result, rules, f"result {number}", root)


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    need(len(gzip.compress(data)) <= 10 << 20, "larger than 10 MiB when compressed")
    sarif = json.loads(data.decode("utf-8"))
    need(sarif.get("version") == "2.1.0", "version")
    need("sarif" in sarif.get("$schema", "") and "2.1.0" in sarif["$schema"], "$schema")
    runs = sarif.get("runs")
    need(isinstance(runs, list) and 1 <= len(runs) <= 20, "runs")
    for run in runs or []:
        check_run(run, sys.argv[2] if len(sys.argv) > 2 else None)
    for failure in failures:
        print(failure)
    results = sum(len(run["results"]) for run in runs or [])
    print(f"{results} results, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
