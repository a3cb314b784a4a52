// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Foundation
import Testing

/// Random messages of every type, read by us and by Google's C++: the same verdict and the same meaning.
///
/// They take long, so they make way for other tests all the time: some of those have deadlines.
struct DifferentialTests {
    private static let types: [any ProtobufMessage.Type] = [
        Scalars.self, Optionals.self, Lists.self, Maps.self, Choices.self, Tree.self, Ping.self, Outer.self,
        Imports.self, Names.self, Sparse.self, Nothing.self, LegacyDefaults.self, LegacyLists.self, LegacyNeedy.self,
        LegacyHolder.self, LegacyGroups.self, LegacyExtendable.self, LegacySetOfMessages.self, LegacyUsesOld.self,
        LegacyJSONNames.self,
    ]

    /// More of them in long runs: APUS_DIFFERENTIAL_MESSAGES.
    private static let count =
        ProcessInfo.processInfo.environment["APUS_DIFFERENTIAL_MESSAGES"].flatMap { Int($0) } ?? 100_000

    @Test func `C++ protobuf gives each of many random messages the same verdict and meaning`() async throws {
        let batch = 20_000
        var accepted = 0
        for start in stride(from: 0, to: Self.count, by: batch) {
            accepted += try await compare(start..<min(Self.count, start + batch))
        }
        // Enough of both kinds to say something.
        #expect(accepted > Self.count / 2 && accepted < Self.count)
    }

    private func compare(_ seeds: Range<Int>) async throws -> Int {
        var oracle = CppOracle()
        var ours: [Result<[UInt8], RPCError>] = []
        var inputs: [[UInt8]] = []
        for seed in seeds {
            if seed % 100 == 0 { await Task.yield() }
            let type = Self.types[seed % Self.types.count]
            var messages = RandomMessages(seed: UInt64(seed))
            let bytes = messages.bytes(type.schema)
            let written = Result { () throws(RPCError) in try rewritten(type, bytes) }
            oracle.ask(.normalize, type.schema.name, bytes)
            oracle.ask(.normalize, type.schema.name, (try? written.get()) ?? [])
            ours.append(written)
            inputs.append(bytes)
        }
        let answers = try await oracle.answers()
        var accepted = 0
        for (index, result) in ours.enumerated() {
            if index % 100 == 0 { await Task.yield() }
            let (theirs, again) = (answers[2 * index], answers[2 * index + 1])
            let name = Self.types[(seeds.lowerBound + index) % Self.types.count].schema.name
            switch result {
            case .success:
                accepted += 1
                #expect(theirs.isAccepted, "only we accept this \(name): \(inputs[index])")
                #expect(theirs.bytes == again.bytes, "we read another \(name): \(inputs[index])")
            case .failure(let error):
                // They drop the bits of a tag above the 32nd; such a tag has a number above the largest. And they let
                // text of proto2 files be any bytes, which a String cannot be.
                let isExplained =
                    error.message.contains("a field tag is malformed")
                    || error.message.contains("not UTF-8") && error.message.contains("test.legacy")
                #expect(!theirs.isAccepted || isExplained, "\(error.message) \(inputs[index])")
            }
        }
        return accepted
    }

    private func rewritten<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws(RPCError) -> [UInt8] {
        try M(serialized: bytes).serializedBytes()
    }

    @Test func `C++ protobuf reads our JSON as we mean it, and we read theirs`() async throws {
        let seeds = 0..<(Self.count / 5)
        // This version of C++ protobuf writes JSON of groups that it cannot read itself.
        let types = Self.types.filter { $0.schema.name != "test.legacy.Groups" }
        var oracle = CppOracle()
        var inputs: [[UInt8]] = []
        for seed in seeds {
            if seed % 100 == 0 { await Task.yield() }
            let type = types[seed % types.count]
            var messages = RandomMessages(seed: UInt64(seed), isClean: true)
            let bytes = messages.bytes(type.schema)
            inputs.append(bytes)
            oracle.ask(.normalize, type.schema.name, bytes)
            oracle.ask(.toJSON, type.schema.name, bytes)
            oracle.ask(.fromJSON, type.schema.name, Array(try json(type, bytes).utf8))
        }
        let answers = try await oracle.answers()
        var second = CppOracle()
        for (index, seed) in seeds.enumerated() {
            if index % 100 == 0 { await Task.yield() }
            let type = types[seed % types.count]
            let (plain, json, ours) = (answers[3 * index], answers[3 * index + 1], answers[3 * index + 2])
            #expect(plain.isAccepted && json.isAccepted && ours.isAccepted)
            #expect(plain.bytes == ours.bytes, "they read another \(type.schema.name): \(inputs[index]) \(json.text)")
            second.ask(.normalize, type.schema.name, try binary(type, json.text))
        }
        for (index, answer) in try await second.answers().enumerated() {
            #expect(
                answer.bytes == answers[3 * index].bytes, "we read their JSON otherwise: \(answers[3 * index + 1].text)"
            )
        }
    }

    private func json<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws(RPCError) -> String {
        try M(serialized: bytes).jsonString()
    }

    private func binary<M: ProtobufMessage>(_: M.Type, _ json: String) throws(RPCError) -> [UInt8] {
        try M(json: json).serializedBytes()
    }
}
