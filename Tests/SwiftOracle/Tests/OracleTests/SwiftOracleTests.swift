// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Foundation
import SwiftProtobuf
import SwiftTypes
import Testing

/// Random messages of every type go to swift-protobuf and come back, as bytes and as JSON: they are the same then.
struct SwiftOracleTests {
    private static let pairs: [any Pair] = [
        Types<Scalars, Test_Everything_Scalars>(), Types<Optionals, Test_Everything_Optionals>(),
        Types<Lists, Test_Everything_Lists>(), Types<Maps, Test_Everything_Maps>(),
        Types<Choices, Test_Everything_Choices>(), Types<Tree, Test_Everything_Tree>(),
        Types<Ping, Test_Everything_Ping>(), Types<Outer, Test_Everything_Outer>(),
        Types<Imports, Test_Everything_Imports>(), Types<Names, Test_Everything_Names>(),
        Types<Sparse, Test_Everything_Sparse>(), Types<Nothing, Test_Everything_Nothing>(),
        Types<LegacyDefaults, SwiftTypes.LegacyDefaults>(), Types<LegacyLists, SwiftTypes.LegacyLists>(),
        Types<LegacyNeedy, SwiftTypes.LegacyNeedy>(), Types<LegacyHolder, SwiftTypes.LegacyHolder>(),
        Types<LegacyGroups, SwiftTypes.LegacyGroups>(), Types<LegacyExtendable, SwiftTypes.LegacyExtendable>(),
        Types<LegacyUsesOld, SwiftTypes.LegacyUsesOld>(), Types<LegacyJSONNames, SwiftTypes.LegacyJSONNames>(),
    ]

    /// More of them in long runs: APUS_ORACLE_MESSAGES.
    private static let count =
        ProcessInfo.processInfo.environment["APUS_ORACLE_MESSAGES"].flatMap { Int($0) } ?? 100_000

    @Test func `swift-protobuf gives random messages back as they were, as bytes and as JSON`() throws {
        for seed in 0..<Self.count {
            var random = RandomMessages(seed: UInt64(seed), isClean: true)
            try Self.pairs[seed % Self.pairs.count].expectSame(&random)
        }
    }
}

/// One message type, as we have it and as swift-protobuf has it.
private protocol Pair: Sendable {
    func expectSame(_ random: inout RandomMessages) throws
}

private struct Types<Ours: ProtobufMessage, Theirs: SwiftProtobuf.Message & Sendable>: Pair {
    func expectSame(_ random: inout RandomMessages) throws {
        let message = try Ours(serialized: random.bytes(Ours.schema))
        let bytes = try message.deterministicBytes()
        let (theirs, back) = try wayOfBytes(message)
        #expect(back == bytes, "bytes: \(message)")

        let json = try message.jsonString()
        let read = try Theirs(jsonString: json)
        #expect(try rewritten(read.serializedBytes()) == bytes, "our JSON: \(json)")
        let written = try theirs.jsonString()
        #expect(try Ours(json: written).deterministicBytes() == bytes, "their JSON: \(written), ours: \(json)")
    }

    private func wayOfBytes(_ message: Ours) throws -> (theirs: Theirs, back: [UInt8]) {
        let theirs = try Theirs(serializedBytes: message.serializedBytes())
        return (theirs, try rewritten(theirs.serializedBytes()))
    }

    private func rewritten(_ bytes: [UInt8]) throws -> [UInt8] { try Ours(serialized: bytes).deterministicBytes() }
}
