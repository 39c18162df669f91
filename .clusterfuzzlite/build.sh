#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0
#
# What the service calls in its build image, with its variables set.
exec "$SRC/instar-fuzz/ci/build-fuzzers"
