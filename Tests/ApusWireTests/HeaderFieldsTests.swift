// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct RequestFieldsTests {
    private static let method = MethodDescriptor(service: "a.B", name: "C", kind: .unary)

    @Test func `pseudo fields come first, then gRPC's, then the user's`() throws {
        var fields = Fields()
        try RequestFields.write(
            Self.method, authority: "users", timeout: 1_500_000_000, metadata: ["x-a": "1", "te": "no"],
            compression: nil, compressors: .standard, to: &fields)
        #expect(fields.names.prefix(4).allSatisfy { $0.hasPrefix(":") })
        #expect(fields.names.dropFirst(4).allSatisfy { !$0.hasPrefix(":") })
        #expect(fields[":method"] == "POST" && fields[":scheme"] == "http" && fields[":path"] == "/a.B/C")
        #expect(fields[":authority"] == "users")
        #expect(fields["te"] == "trailers")
        #expect(fields["grpc-timeout"] == "1500000u")
        #expect(fields["content-type"] == "application/grpc")
        #expect(fields["user-agent"]?.hasPrefix("grpc-swift-apus/") == true)
        #expect(fields.names.last == "x-a")
        #expect(fields.names.count { $0 == "te" } == 1)
    }

    @Test func `a call over TLS says so`() throws {
        var fields = Fields()
        try RequestFields.write(
            Self.method, scheme: "https", authority: "a", timeout: nil, metadata: Metadata(), compression: nil,
            compressors: .none, to: &fields)
        #expect(fields[":scheme"] == "https")
    }

    @Test func `no deadline sends no timeout, and one that has passed sends zero`() throws {
        var without = Fields()
        try RequestFields.write(
            Self.method, authority: "a", timeout: nil, metadata: Metadata(), compression: nil, compressors: .none,
            to: &without)
        #expect(without["grpc-timeout"] == nil)
        var late = Fields()
        try RequestFields.write(
            Self.method, authority: "a", timeout: -1, metadata: Metadata(), compression: nil, compressors: .none,
            to: &late)
        #expect(late["grpc-timeout"] == "0n")
    }

    @Test(
        arguments: [
            (nil, .none, nil, "identity"), (nil, .standard, nil, "identity,gzip,deflate"),
            (.gzip, .standard, "gzip", "identity,gzip,deflate"),
            (.deflate, Compressors([DeflateCompressor()]), "deflate", "identity,deflate"),
        ] as [(Compression?, Compressors, String?, String)])
    func `a request says how it is compressed and what may come back`(
        _ compression: Compression?, _ compressors: Compressors, _ encoding: String?, _ accepted: String
    ) throws {
        var fields = Fields()
        try RequestFields.write(
            Self.method, authority: "a", timeout: nil, metadata: Metadata(), compression: compression,
            compressors: compressors, to: &fields)
        #expect(fields["grpc-encoding"] == encoding)
        #expect(fields["grpc-accept-encoding"] == accepted)
    }
}

@Suite struct ResponseFieldsTests {
    private static func status(_ status: Status, _ metadata: Metadata = Metadata()) -> Fields {
        var fields = Fields()
        ResponseFields.writeStatus(status, metadata, compressors: .standard, to: &fields)
        return fields
    }

    @Test func `success is one field`() {
        #expect(Self.status(.ok) == ["grpc-status": "0"])
        #expect(Self.status(Status(.ok, "ignored")) == ["grpc-status": "0"])
    }

    @Test func `an error has its message and details, and its metadata before them`() {
        let fields = Self.status(Status(.aborted, "a\nb", details: [1, 2]), ["x": "1"])
        #expect(
            fields == [
                "x": "1", "grpc-status": "10", "grpc-message": "a%0Ab", "grpc-status-details-bin": "AQI",
            ])
    }

    @Test func `UNIMPLEMENTED tells what encodings are known`() {
        #expect(Self.status(Status(.unimplemented))["grpc-accept-encoding"] == "identity,gzip,deflate")
    }

    @Test func `metadata that HTTP cannot carry turns even success into INTERNAL`() {
        let fields = Self.status(.ok, ["good": "1", "bad": "a\nb"])
        #expect(fields.names == ["grpc-status", "grpc-message"])
        #expect(fields["grpc-status"] == "13")
    }
}
