#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's plain script: what an iteration costs where every step is a process of its own.

It makes the disk with qemu-img create and a qemu-io for each write, copies it for either tool, lets
both measure and convert, and compares hashes, converting outputs that are not raw once more. One
subprocess.run after the other, output captured, a time-out on each: nothing is done cleverly, and
nothing slowly on purpose. Grain and block sizes that qemu-img create does not know are its own.

  script.py FOLDER instar|qemu-img A B     A and B are the tools' paths; A is driven as its kind says

Each line of stdin is the path of a case in text form; the answer is "equal", or what went wrong.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def read_case(path):
    with open(path, encoding="utf-8") as file:
        return json.loads("".join(line for line in file if not line.lstrip().startswith("//")))


def create_options(case):
    options = {
        "qcow2": [f"cluster_size={1 << case.get('cluster_bits', 16)}",
                  f"extended_l2={'on' if case.get('extended_l2') else 'off'}"],
        "vpc": ["subformat=dynamic", "force_size=on"],
        "vmdk": ["subformat=monolithicSparse"],
        "vhdx": [f"block_size={1 << case.get('block_bits', 21)}"],
    }.get(case["format"])
    return ["-o", ",".join(options)] if options else []


def write_command(write):
    form = write.get("form", "normal")
    place = f"{write['offset_bytes']} {write['length_bytes']}"
    if form.startswith("zero"):
        return f"write -z {'-u ' if form == 'zero' else ''}{place}"
    compressed = "-c " if form == "compressed" else ""
    return f"write {compressed}-P {write.get('seed', 0) % 255 + 1} {place}"


def make_disk(case, name, qemu_img):
    run(qemu_img, "create", "-f", case["format"], *create_options(case), name, str(case["virtual_size"]))
    for write in case["writes"]:
        run("qemu-io", "-f", case["format"], "-c", write_command(write), name)


def operate(kind, tool, operation, source, source_format, output):
    """The number that measure says, or None."""
    known = ["-f", source_format] if kind == "qemu-img" else []
    if operation["op"] == "measure":
        words = ["--output=json"] if kind == "qemu-img" else ["--output", "json"]
        said = run(tool, "measure", *words, *known, "-O", operation["target"], source)
        return json.loads(said)["required"]
    compressed = []
    if operation["op"] == "convert_compressed":
        compressed = ["-c"]
    run(tool, "convert", *compressed, *known, "-O", operation["target"], source, output)
    return None


def content(name, image_format, size, qemu_img):
    """A hash of the guest's bytes; what a format's own rounding adds behind them does not count."""
    if image_format != "raw":
        run(qemu_img, "convert", "-f", image_format, "-O", "raw", name, name + ".raw")
        name += ".raw"
    with open(name, "rb") as file:
        return hashlib.sha256(file.read(size)).hexdigest()


def iterate(case, kinds, tools):
    qemu_img = tools[1]
    disk = "disk." + case["format"]
    make_disk(case, disk, qemu_img)
    sources = ["a-" + disk, "b-" + disk]
    for source in sources:
        shutil.copy2(disk, source)
    for operation in case["operations"]:
        outputs = [f"{side}-out.{operation['target']}" for side in "ab"]
        said = [operate(kinds[side], tools[side], operation, sources[side], case["format"], outputs[side])
                for side in (0, 1)]
        if operation["op"] != "measure":
            said = [content(output, operation["target"], case["virtual_size"], qemu_img)
                    for output in outputs]
        if said[0] != said[1]:
            raise RuntimeError(f"{operation['op']}: {said[0]} and {said[1]}")


def answer(path, folder, kinds, tools):
    root = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="script.", dir=folder) as directory:
        try:
            case = read_case(path)
            os.chdir(directory)
            iterate(case, kinds, tools)
            return "equal"
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            return str(error).replace("\n", " ")
        finally:
            os.chdir(root)


def main():
    folder, kind, *tools = sys.argv[1:]
    print("ready", flush=True)
    for line in sys.stdin:
        print(answer(line.strip(), folder, [kind, "qemu-img"], tools), flush=True)


main()
