// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Testing

@Suite struct FieldNameTests {
    @Test(arguments: [
        (":method", FieldName.method), (":scheme", .scheme), (":path", .path), (":authority", .authority),
        (":status", .status), ("content-type", .contentType), ("te", .te), ("user-agent", .userAgent), ("host", .host),
        ("grpc-timeout", .timeout), ("grpc-encoding", .encoding), ("grpc-accept-encoding", .acceptEncoding),
        ("grpc-status", .grpcStatus), ("grpc-message", .grpcMessage), ("grpc-status-details-bin", .statusDetails),
    ])
    func `gRPC's own fields are known`(_ name: String, _ field: FieldName) {
        #expect(name.onWire { FieldName($0) } == field)
    }

    @Test(arguments: ["", ":", ":protocol", "grpc-", "grpc-tags-bin", "grpc-trace", "grpc-statu", "grpc-status2"])
    func `what is reserved but unknown is never metadata`(_ name: String) {
        #expect(name.onWire { FieldName($0) } == .reserved)
    }

    @Test(arguments: [
        "grpc-retry-pushback-ms", "grpc-previous-rpc-attempts", "grpc-trace-bin", "grpc", "x", "t", "tea",
        "content-type2", "content",
        "hosts", "user-agents", "-bin",
    ])
    func `the rest is metadata, also the names of gRFC A6 and A72`(_ name: String) {
        #expect(name.onWire { FieldName($0) } == .custom)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("application/grpc;charset=utf-8", true),
        ("application/grpc+", true), ("application/grpc-web", false), ("application/grpcx", false),
        ("application/json", false), ("application/grp", false), ("", false), ("Application/grpc", false),
    ])
    func `gRPC's content-type stands alone or before a plus or semicolon`(_ type: String, _ isGRPC: Bool) {
        #expect(type.onWire(isGRPCContentType) == isGRPC)
    }
}
