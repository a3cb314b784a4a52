// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
import CCodecProtos
import SwiftProtobuf

/// Why there is nothing to measure.
struct Disagreement: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Messages come as bytes of a call and go as such.
func apus<M: ProtobufMessage>(_: M.Type, _ direction: Direction, _ bytes: [UInt8]) throws -> Task {
    let serialized = MessageBytes(bytes)
    let message = try M(serialized: serialized)
    guard try message.deterministicBytes() == bytes else { throw Disagreement("apus writes another \(M.schema)") }
    switch direction {
    case .decode: return { times in for _ in 0..<times { consume(try M(serialized: serialized)) } }
    case .encode: return { times in for _ in 0..<times { consume(try message.serialized()) } }
    }
}

func swiftProtobuf<M: SwiftProtobuf.Message & Equatable>(
    _: M.Type, _ direction: Direction, _ bytes: [UInt8]
) throws -> Task {
    let message = try M(serializedBytes: bytes)
    let written: [UInt8] = try message.serializedBytes()
    guard written.count == bytes.count, try M(serializedBytes: written) == message else {
        throw Disagreement("swift-protobuf writes another \(M.protoMessageName)")
    }
    switch direction {
    case .decode: return { times in for _ in 0..<times { consume(try M(serializedBytes: bytes)) } }
    case .encode: return { times in for _ in 0..<times { consume(try message.serializedBytes() as [UInt8]) } }
    }
}

func protobufC(_ type: RawType, _ direction: Direction, _ bytes: [UInt8]) throws -> Task {
    guard let message = raw_unpack(type, bytes, bytes.count), raw_pack(message) == bytes.count else {
        throw Disagreement("protobuf-c reads or writes another message")
    }
    switch direction {
    case .decode:
        raw_free(message)
        return { times in
            bytes.withUnsafeBufferPointer { bytes in
                for _ in 0..<times { raw_free(raw_unpack(type, bytes.baseAddress, bytes.count)) }
            }
        }
    // The message stays for as long as the process.
    case .encode: return { times in for _ in 0..<times { consume(raw_pack(message)) } }
    }
}

/// Keeps the compiler from leaving out what made the value.
@inline(never) @_optimize(none)
func consume<T>(_ value: T) {}
