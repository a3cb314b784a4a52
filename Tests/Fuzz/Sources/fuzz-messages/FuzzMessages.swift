// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

// The first byte of an input chooses the type, and whether the rest is binary or JSON.
private let types: [any ProtobufMessage.Type] = [
    Scalars.self, Optionals.self, Lists.self, Maps.self, Choices.self, Tree.self, Ping.self, Outer.self, Imports.self,
    Names.self, Sparse.self, Nothing.self, LegacyDefaults.self, LegacyLists.self, LegacyNeedy.self, LegacyHolder.self,
    LegacyGroups.self, LegacyExtendable.self, LegacySetOfMessages.self, LegacyUsesOld.self, ProtobufAny.self,
    ProtobufStruct.self, ProtobufFieldMask.self, ProtobufTimestamp.self, ProtobufFileDescriptorSet.self,
]

/// Messages nest as deep in JSON, but lists are levels there, too.
private let lenient: JSONDecodingOptions = {
    var options = JSONDecodingOptions()
    options.maximumDepth = 1000
    return options
}()

// libFuzzer's own driver. Source: compiler-rt, FuzzerInterface.h.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What SwiftPM takes for the program's main function.
@_cdecl("fuzz_messages_main")
public func main(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments, fuzz)
}

private func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let type = types[Int(start.pointee & 0x7F) % types.count]
    start.pointee < 0x80 ? checkBinary(type, bytes) : checkJSON(type, bytes)
    return 0
}

/// What is read can be written, and reads the same again, with and without generated code.
private func checkBinary<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) {
    guard let message = try? M(serialized: bytes) else { return }
    guard let written = try? message.serializedBytes(), let again = try? M(serialized: written),
        let dynamic = try? DynamicMessage(message), (try? dynamic.message(M.self)) != nil
    else { fatalError("what was read cannot be written and read again") }
    guard let first = try? message.deterministicBytes(), let second = try? again.deterministicBytes(), first == second
    else { fatalError("what was written reads otherwise") }
    _ = message.textFormat()
    guard let json = try? message.jsonString() else { return }
    guard (try? M(json: json, lenient)) != nil else { fatalError("JSON of our own cannot be read: \(json)") }
}

private func checkJSON<M: ProtobufMessage>(_: M.Type, _ bytes: [UInt8]) {
    guard let message = try? M(json: bytes) else { return }
    guard let json = try? message.jsonString(), let again = try? M(json: json, lenient),
        (try? again.jsonString()) == json
    else { fatalError("JSON that was read cannot be written and read again") }
}
