// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// What a peer's `grpc-encoding` says. Source: gRPC over HTTP/2, *Message-Encoding*.
package enum MessageEncoding: Sendable {
    /// Messages are as they are.
    case identity
    /// Messages may be compressed by the compressor with this index.
    case known(Int)
    /// Nobody here can read the messages.
    case unknown(String)

    package init(_ value: UnsafeRawBufferPointer, _ compressors: Compressors) {
        if let index = compressors.index(named: value) {
            self = .known(index)
        } else {
            self = value.equals("identity") ? .identity : .unknown(value.text)
        }
    }

    /// The index of the compressor, if one is needed.
    package var compressor: Int? {
        if case .known(let index) = self { index } else { nil }
    }
}

/// The compressors, out of one's own, whose output a peer can read: what its `grpc-accept-encoding` says.
package struct AcceptedEncodings: Sendable {
    private var bits: UInt32 = 0

    package init() {}

    package func contains(_ index: Int) -> Bool { bits & 1 << UInt32(index) != 0 }

    /// Adds the names of one field: a list with commas and spaces between them.
    package mutating func add(_ value: UnsafeRawBufferPointer, _ compressors: Compressors) {
        var start = 0
        for position in 0...value.count where position == value.count || Self.separates(value[position]) {
            if position > start {
                let name = UnsafeRawBufferPointer(rebasing: value[start..<position])
                if let index = compressors.index(named: name) { bits |= 1 << UInt32(index) }
            }
            start = position + 1
        }
    }

    private static func separates(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
