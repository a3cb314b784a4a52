// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import Foundation
import Testing

/// What fuzzing found worth keeping (see .ci/fuzz), tried as every type, binary and JSON.
struct CorpusTests {
    private static let types: [any ProtobufMessage.Type] = [
        Scalars.self, Lists.self, Maps.self, Choices.self, Tree.self, Imports.self, Sparse.self, LegacyLists.self,
        LegacyNeedy.self, LegacyHolder.self, LegacyGroups.self, LegacyExtendable.self, ProtobufAny.self,
        ProtobufStruct.self, ProtobufFieldMask.self, ProtobufTimestamp.self, ProtobufDuration.self,
    ]

    @Test func `every input of the corpus is read or refused, and what is read can be written and read again`() throws {
        let file = try #require(Bundle.module.url(forResource: "corpus", withExtension: "txt", subdirectory: "Corpus"))
        let lines = String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "\n")
        #expect(lines.count > 100)
        var (read, refused) = (0, 0)
        for line in lines {
            let input = [UInt8](try #require(Data(base64Encoded: String(line))).dropFirst())
            for type in Self.types { if try admits(type, input) { read += 1 } else { refused += 1 } }
        }
        #expect(read > 0 && refused > 0)
    }

    private func admits<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws -> Bool {
        if let message = try? M(json: bytes) {
            let json = try message.jsonString()
            #expect(try M(json: json).jsonString() == json)
        }
        guard let message = try? M(serialized: bytes) else { return false }
        let again = try M(serialized: message.serializedBytes())
        #expect(try again.deterministicBytes() == message.deterministicBytes())
        return true
    }
}
