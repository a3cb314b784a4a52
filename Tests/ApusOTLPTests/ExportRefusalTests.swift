// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Testing

@testable import ApusOTLP

@Suite struct ExportRefusalTests {
    @Test func `RESOURCE_EXHAUSTED may pass only when the receiver says when`() throws {
        #expect(!ExportRefusal(RPCError(.resourceExhausted, "scripted")).mayPass)
        let refusal = try ExportRefusal(.throttled(seconds: 2, nanos: 500_000_000))
        #expect(refusal.mayPass)
        #expect(refusal.wait == .seconds(2.5))
    }

    @Test func `a time does not make a refusal for good pass`() throws {
        #expect(try !ExportRefusal(.throttled(.invalidArgument, seconds: 2)).mayPass)
        #expect(try ExportRefusal(.throttled(.unavailable, seconds: 2)).wait == .seconds(2))
    }

    @Test(arguments: [(-5, 0), (Int64.max, 3600), (Int64.min, 0)] as [(Int64, Int64)]) func `times are held in bounds`(
        _ seconds: Int64, _ expected: Int64
    ) throws {
        #expect(try ExportRefusal(.throttled(seconds: seconds)).wait == .seconds(expected))
    }

    @Test func `details that cannot be read say nothing`() {
        let refusal = ExportRefusal(RPCError(.resourceExhausted, "scripted", details: [0x1A, 0xFF, 1]))
        #expect(!refusal.mayPass && refusal.wait == nil)
    }

    @Test func `an export of metrics waits as long as it is told`() throws {
        var course = ExportCourse(interval: .seconds(60))
        #expect(course.ended(try .throttled(seconds: 90), random: 0.5) == .seconds(90))
        #expect(course.ended(try .throttled(seconds: 0), random: 0.5) == .seconds(1.6))
    }
}

extension RPCError {
    /// What an overloaded receiver answers.
    static func throttled(
        _ code: Status.Code = .resourceExhausted, seconds: Int64, nanos: Int32 = 0
    ) throws -> RPCError {
        let info = RefusalRetryInfo(retryDelay: ProtobufDuration(seconds: seconds, nanos: nanos))
        let detail = ProtobufAny(
            typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: try info.serializedBytes())
        return RPCError(code, "scripted", details: try RefusalStatus(details: [detail]).serializedBytes())
    }
}
