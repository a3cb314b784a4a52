// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

/// Messages on their way into DATA frames, the first one perhaps in part. A plain value: no lock, no waiting.
struct OutboundMessages: Sendable {
    private var first: MessageBytes?
    private var rest = Deque<MessageBytes>()
    private var offset = 0
    /// Bytes that wait, prefixes included.
    private(set) var bytes = 0

    mutating func append(_ message: MessageBytes) {
        bytes += message.count + MessageBytes.prefixSize
        if first == nil { first = message } else { rest.append(message) }
    }

    /// Takes over everything of `other`, behind what is here.
    mutating func append(allOf other: inout OutboundMessages) {
        if bytes == 0 {
            swap(&self, &other)
        } else {
            while let message = other.popFirst() { append(message) }
        }
    }

    private mutating func popFirst() -> MessageBytes? {
        guard let message = first else { return nil }
        bytes -= message.count + MessageBytes.prefixSize
        first = rest.popFirst()
        return message
    }

    /// Moves `count` bytes, which must be waiting, to `output`.
    mutating func take(_ count: Int, into output: OutputBuffer) {
        var left = min(count, bytes)
        bytes -= left
        while left > 0, let message = first.take() {
            let size = message.count + MessageBytes.prefixSize
            let piece = min(left, size - offset)
            message.withUnsafeFrame { frame in
                output.append(UnsafeRawBufferPointer(rebasing: frame[offset..<offset + piece]), owner: message.owner)
            }
            left -= piece
            offset += piece
            guard offset == size else {
                first = message
                return
            }
            first = rest.popFirst()
            offset = 0
        }
    }

    mutating func removeAll() { self = OutboundMessages() }
}
