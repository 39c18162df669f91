#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check exists for vmdk and vhdx, with a JSON that counts nothing; vpc and raw have none (63).
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

truncate -s 1M src.raw
for format in vmdk vhdx; do
    create -f $format src.$format 1M
    shows "exit status of check, $format" 0 "$(status img check --output=json -f $format src.$format)"
    shows "check-errors" 0 "$(member check-errors <said)"
    for absent in image-end-offset total-clusters allocated-clusters corruptions leaks; do
        shows "$absent" absent "$(member $absent <said)"
    done
done
create -f vpc src.vpc 1M
for format in vpc raw; do
    shows "exit status of check, $format" 63 "$(status img check --output=json -f $format src.$format)"
    shows "bytes on stdout" 0 "$(img check --output=json -f $format src.$format 2>/dev/null | wc -c)"
done
exit $gone
