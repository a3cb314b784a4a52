// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

private let types: [any ProtobufMessage.Type] = [
    Scalars.self, Optionals.self, Lists.self, Maps.self, Choices.self, Tree.self, Ping.self, Outer.self, Imports.self,
    Names.self, Sparse.self, Nothing.self, LegacyDefaults.self, LegacyLists.self, LegacyNeedy.self, LegacyHolder.self,
    LegacyGroups.self, LegacyExtendable.self, LegacySetOfMessages.self, LegacyUsesOld.self, ProtobufAny.self,
    ProtobufStruct.self, ProtobufFieldMask.self, ProtobufTimestamp.self, ProtobufFileDescriptorSet.self,
]

/// A message of the type that the first byte chooses, binary or JSON.
@Sendable func fuzzProtobuf(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let choice = input.byte()
    let type = types[Int(choice & 0x7F) % types.count]
    try choice < 0x80 ? fuzzBinary(type, Array(input.rest)) : fuzzJSON(type, Array(input.rest))
}

/// What is read can be written, and reads the same again, with and without generated code.
private func fuzzBinary<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws {
    guard let message = try? M(serialized: bytes) else { return }
    let again = try M(serialized: message.serializedBytes())
    try require(
        message.deterministicBytes() == again.deterministicBytes(), "what was written reads as it was meant")
    _ = try DynamicMessage(message).message(M.self)
    _ = message.textFormat()
    // Not all that is a message has JSON.
    guard let json = try? message.jsonString() else { return }
    _ = try M(json: json, lenient)
}

private func fuzzJSON<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) throws {
    guard let message = try? M(json: bytes) else { return }
    let json = try message.jsonString()
    try require(M(json: json, lenient).jsonString() == json, "JSON that was written reads as it was meant")
}

/// Messages nest as deep in JSON, but lists are levels there, too.
private let lenient: JSONDecodingOptions = {
    var options = JSONDecodingOptions()
    options.maximumDepth = 1000
    return options
}()
