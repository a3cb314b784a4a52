// SPDX-License-Identifier: Apache-2.0

/// The 9 bytes in front of every frame. Source: RFC 9113, section 4.1.
package struct FrameHead: Equatable, Sendable {
    /// Bytes that follow.
    package var length: Int
    package var type: UInt8
    package var flags: UInt8
    package var stream: Int32
    /// Bytes of padding in a DATA frame, its length field included.
    package var padding = 0
    /// The stream that a PRIORITY frame's stream is to depend on.
    package var dependency: Int32?

    package init(
        length: Int, type: UInt8, flags: UInt8, stream: Int32, padding: Int = 0, dependency: Int32? = nil
    ) {
        self.length = length
        self.type = type
        self.flags = flags
        self.stream = stream
        self.padding = padding
        self.dependency = dependency
    }

    fileprivate init(first: UInt64, last: UInt8) {
        length = Int(first >> 40)
        type = UInt8(truncatingIfNeeded: first >> 32)
        flags = UInt8(truncatingIfNeeded: first >> 24)
        // The first bit is reserved.
        stream = Int32(truncatingIfNeeded: (first & 0x7f_ffff) << 8 | UInt64(last))
    }

    // How much of the payload is looked at.
    fileprivate var wanted: Int {
        switch type {
        case FrameType.data: flags & FrameFlag.padded != 0 && length > 0 ? 1 : 0
        case FrameType.priority: length == 5 ? 4 : 0
        default: 0
        }
    }

    // `front`: the first `wanted` bytes of the payload.
    fileprivate mutating func read(_ front: UInt32) {
        switch type {
        case FrameType.data: padding = min(Int(front) + 1, length)
        case FrameType.priority: dependency = Int32(truncatingIfNeeded: front & 0x7fff_ffff)
        default: break
        }
    }

    /// Whether this is a frame's first or only piece of a header block.
    package var startsHeaderBlock: Bool { type == FrameType.headers || type == FrameType.pushPromise }
    /// Whether this is any piece of a header block.
    var isOfHeaderBlock: Bool { startsHeaderBlock || type == FrameType.continuation }
    package var endsHeaderBlock: Bool { flags & FrameFlag.endHeaders != 0 }
}

/// RFC 9113, section 6.
package enum FrameType {
    package static let data: UInt8 = 0
    package static let headers: UInt8 = 1
    package static let priority: UInt8 = 2
    package static let resetStream: UInt8 = 3
    package static let settings: UInt8 = 4
    package static let pushPromise: UInt8 = 5
    package static let ping: UInt8 = 6
    package static let goAway: UInt8 = 7
    package static let windowUpdate: UInt8 = 8
    package static let continuation: UInt8 = 9
}

/// RFC 9113, section 6.
package enum FrameFlag {
    package static let endStream: UInt8 = 0x1
    package static let acknowledge: UInt8 = 0x1
    package static let endHeaders: UInt8 = 0x4
    package static let padded: UInt8 = 0x8
}

/// Finds the frames in a connection's bytes, wherever those were split, without looking into them: what the library
/// never reports (unknown types, padding, frames of streams that are closed) is seen here.
package struct FrameScanner {
    static let headSize = 9
    private static let prefaceSize = 24

    private var skip: Int
    // A head whose bytes did not come together.
    private var first: UInt64 = 0
    private var held = 0
    // A head that waits for the front of its payload.
    private var unread: (head: FrameHead, front: UInt32, wanted: Int)?

    /// - Parameter expectsPreface: whether a client's preface comes before the first frame.
    package init(expectsPreface: Bool) { skip = expectsPreface ? Self.prefaceSize : 0 }

    /// Whether the bytes so far end inside a frame.
    package var isInsideFrame: Bool { skip > 0 || held > 0 || unread != nil }

    /// Whether the frame that the bytes end in is told already, by its head.
    var isInsidePayload: Bool { skip > 0 || unread != nil }

    /// Takes bytes from the front of `bytes` until a frame's head is complete.
    ///
    /// - Returns: the head; nil when `bytes` is used up.
    package mutating func next(_ bytes: inout UnsafeRawBufferPointer) -> FrameHead? {
        if skip > 0 {
            let count = min(skip, bytes.count)
            skip -= count
            bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
        }
        if skip == 0, held == 0, unread == nil, bytes.count >= Self.headSize {
            let head = FrameHead(
                first: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)), last: bytes[Self.headSize - 1])
            bytes = UnsafeRawBufferPointer(rebasing: bytes[Self.headSize...])
            return complete(head, &bytes)
        }
        return nextSplit(&bytes)
    }

    private mutating func nextSplit(_ bytes: inout UnsafeRawBufferPointer) -> FrameHead? {
        guard skip == 0 else { return nil }
        if let (head, front, wanted) = unread.take() { return read(head, front, wanted, &bytes) }
        while let byte = bytes.first {
            bytes = UnsafeRawBufferPointer(rebasing: bytes[1...])
            held += 1
            if held == Self.headSize {
                held = 0
                return complete(FrameHead(first: first, last: byte), &bytes)
            }
            first = first << 8 | UInt64(byte)
        }
        return nil
    }

    @inline(__always)
    private mutating func complete(_ head: FrameHead, _ bytes: inout UnsafeRawBufferPointer) -> FrameHead? {
        let wanted = head.wanted
        guard wanted > 0 else {
            skip = head.length
            return head
        }
        return read(head, 0, wanted, &bytes)
    }

    private mutating func read(
        _ head: FrameHead, _ front: UInt32, _ wanted: Int, _ bytes: inout UnsafeRawBufferPointer
    ) -> FrameHead? {
        var front = front
        var wanted = wanted
        while wanted > 0, let byte = bytes.first {
            bytes = UnsafeRawBufferPointer(rebasing: bytes[1...])
            front = front << 8 | UInt32(byte)
            wanted -= 1
        }
        guard wanted == 0 else {
            unread = (head, front, wanted)
            return nil
        }
        var head = head
        head.read(front)
        skip = head.length - head.wanted
        return head
    }
}
