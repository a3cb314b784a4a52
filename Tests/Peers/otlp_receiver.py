# SPDX-License-Identifier: Apache-2.0
"""A collector of OpenTelemetry's own messages over Python's gRPC, until standard input ends.

Arguments: a port, 0 for any, and how many requests of each signal are refused first, with a RetryInfo. The first line
of output is the port; then comes one of JSON for each request: the signal, whether it was refused, and what it had.
"""

import json
import os
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import any_pb2, duration_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

REFUSALS = int(sys.argv[2])
lock = threading.Lock()
seen = {}


def field(number, value):
    """A field with bytes, shorter than 128 of them."""
    return bytes([number << 3 | 2, len(value)]) + value


def retry_info():
    """A google.rpc.Status with a RetryInfo of 10 ms: Python's gRPC brings no such messages."""
    delay = duration_pb2.Duration(nanos=10_000_000).SerializeToString()
    detail = any_pb2.Any(type_url="type.googleapis.com/google.rpc.RetryInfo", value=field(1, delay))
    return bytes([1 << 3, grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]]) + field(3, detail.SerializeToString())


def report(signal, context, items):
    with lock:
        refused = seen.get(signal, 0) < REFUSALS
        seen[signal] = seen.get(signal, 0) + 1
        print(json.dumps({"signal": signal, "refused": refused, "items": items}), flush=True)
    if refused:
        context.set_trailing_metadata((("grpc-status-details-bin", retry_info()),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "come back later")


def attributes(pairs):
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value"))) for pair in pairs}


def scoped(resources, scopes, items):
    """Each item, with the name of its process."""
    for resource in resources:
        for scope in getattr(resource, scopes):
            for item in getattr(scope, items):
                yield attributes(resource.resource.attributes).get("service.name", ""), item


class Traces(trace_grpc.TraceServiceServicer):
    def Export(self, request, context):
        report("traces", context, [
            {
                "service": service, "name": span.name, "trace": span.trace_id.hex(), "span": span.span_id.hex(),
                "parent": span.parent_span_id.hex(), "kind": span.kind, "status": span.status.code,
                "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                "attributes": attributes(span.attributes), "events": [event.name for event in span.events],
            }
            for service, span in scoped(request.resource_spans, "scope_spans", "spans")
        ])
        return trace_pb2.ExportTraceServiceResponse()


class Logs(logs_grpc.LogsServiceServicer):
    def Export(self, request, context):
        report("logs", context, [
            {
                "service": service, "name": record.body.string_value, "trace": record.trace_id.hex(),
                "span": record.span_id.hex(), "severity": record.severity_text,
                "attributes": attributes(record.attributes),
            }
            for service, record in scoped(request.resource_logs, "scope_logs", "log_records")
        ])
        return logs_pb2.ExportLogsServiceResponse()


class Metrics(metrics_grpc.MetricsServiceServicer):
    def Export(self, request, context):
        report("metrics", context, [
            {"service": service, "name": metric.name, "kind": metric.WhichOneof("data")}
            for service, metric in scoped(request.resource_metrics, "scope_metrics", "metrics")
        ])
        return metrics_pb2.ExportMetricsServiceResponse()


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=[("grpc.so_reuseport", 0)])
    trace_grpc.add_TraceServiceServicer_to_server(Traces(), server)
    logs_grpc.add_LogsServiceServicer_to_server(Logs(), server)
    metrics_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)
    print(server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}"), flush=True)
    server.start()
    sys.stdin.read()
    os._exit(0)


main()
