# SPDX-License-Identifier: Apache-2.0
"""Calls servers with the weighted round robin of Python's gRPC until calls come to them as their reports say.

load_client.py per_call|out_of_band <method> <share> <address>...: ends with status 0 once the first server has answered
<share> percent of 200 calls in a row, give or take 5, which it never does if the balancer reads no reports: servers
answer with their names, the first one with "0".
"""
import json
import sys
import time

import grpc


def balanced(addresses, out_of_band):
    rules = {
        "enableOobLoadReport": out_of_band, "oobReportingPeriod": "0.1s", "blackoutPeriod": "0s",
        "weightUpdatePeriod": "0.1s",
    }
    config = {"loadBalancingConfig": [{"weighted_round_robin": rules}]}
    return grpc.insecure_channel("ipv4:" + ",".join(addresses), [("grpc.service_config", json.dumps(config))])


def share(call):
    return sum(call(b"", wait_for_ready=True) == b"0" for _ in range(200)) / 2


def main(kind, method, wanted, *addresses):
    with balanced(addresses, kind == "out_of_band") as channel:
        call = channel.unary_unary(method)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            last = share(call)
            if abs(last - float(wanted)) <= 5:
                return
        sys.exit(f"the first server answers {last} % of the calls")


main(*sys.argv[1:])
