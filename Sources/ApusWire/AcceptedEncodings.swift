// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// The compressors, out of one's own, whose output a peer can read: what its `grpc-accept-encoding` says.
/// Source: gRPC over HTTP/2, *Message-Accept-Encoding*.
package struct AcceptedEncodings: Sendable {
    private var bits: UInt32 = 0

    package init() {}

    package func contains(_ index: Int) -> Bool { bits & 1 << UInt32(index) != 0 }

    /// Adds the names of one field: a list with commas and spaces between them.
    package mutating func add(_ value: UnsafeRawBufferPointer, _ compressors: Compressors) {
        // What this library's own clients say.
        if compressors.isStandard, value.equals("identity,gzip,deflate") {
            bits |= 0b11
            return
        }
        var start = 0
        var end = 0
        while start < value.count {
            while end < value.count, !Self.separates(value[end]) { end += 1 }
            add(name: UnsafeRawBufferPointer(rebasing: value[start..<end]), compressors)
            end += 1
            start = end
        }
    }

    private mutating func add(name: UnsafeRawBufferPointer, _ compressors: Compressors) {
        guard let index = compressors.index(named: name) else { return }
        bits |= 1 << UInt32(index)
    }

    private static func separates(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
