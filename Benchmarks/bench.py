#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures servers and clients of bench.Echo side by side; writes results.json, table.md and chart.svg.

    bench.py                    all there is
    bench.py --quick            the main rows only, in under two minutes
    bench.py --servers apus,grpc-c++ --clients apus --workloads unary,chat    every pair of these
"""

import sys

from runner.command import main

sys.exit(main())
