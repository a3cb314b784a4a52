// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Pages on which a session of nghttp2 and its frame buffer lie together. Confined to its loop.
///
/// The buffer has 16 KiB, of which an idle connection has touched the first hundred bytes. Wherever `malloc` puts
/// session and buffer, they cost two pages and a part of a third; here they share one, and the four that follow stay
/// the system's until a large frame is sent. That is 3 of an idle connection's 18 KiB.
///
/// A block has a head of 16 bytes: its capacity, negative, where ``PooledMemory`` has a size class; and the pages' start,
/// where the number of blocks in use stands.
struct SessionPages {
    // The pages of the latest session, which wait for its frame buffer.
    private var open: UnsafeMutableRawPointer?

    private static let page = 4096
    private static let pages = 5
    private static let head = 16
    // nghttp2's session has some 2,900 bytes, its frame buffer 16,394 and what padding needs.
    private static let sessions = 2_304...3_328
    private static let buffers = 16_385...16_896

    /// A block in shared pages; nil when blocks of that size have none, or no memory is left.
    mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        if Self.sessions.contains(size) { return openPages(size) }
        guard Self.buffers.contains(size), let start = open else { return nil }
        open = nil
        start.storeBytes(of: 2, as: Int.self)
        let first = Self.head + Self.head + start.load(fromByteOffset: Self.head, as: Int.self).magnitude.rounded
        return Self.block(at: start + first, capacity: Self.pages * Self.page - first - Self.head, of: start)
    }

    private mutating func openPages(_ size: Int) -> UnsafeMutableRawPointer? {
        var start: UnsafeMutableRawPointer?
        guard posix_memalign(&start, Self.page, Self.pages * Self.page) == 0, let start else { return nil }
        start.storeBytes(of: 1, as: Int.self)
        open = start
        return Self.block(at: start + Self.head, capacity: size, of: start)
    }

    private static func block(
        at place: UnsafeMutableRawPointer, capacity: Int, of start: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        place.storeBytes(of: -capacity, as: Int.self)
        place.storeBytes(of: start, toByteOffset: MemoryLayout<Int>.size, as: UnsafeMutableRawPointer.self)
        return place + head
    }

    /// Gives a block back, and its pages with the last one.
    mutating func release(_ block: UnsafeMutableRawPointer) {
        let start = block.load(fromByteOffset: -MemoryLayout<Int>.size, as: UnsafeMutableRawPointer.self)
        let used = start.load(as: Int.self) - 1
        start.storeBytes(of: used, as: Int.self)
        guard used == 0 else { return }
        if open == start { open = nil }
        free(start)
    }
}

extension UInt {
    // A multiple of 16, as `malloc` aligns.
    fileprivate var rounded: Int { Int((self + 15) & ~15) }
}
