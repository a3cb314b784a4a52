// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory for the sessions of one thread that keeps small blocks for the next call: nghttp2 allocates seven for each,
/// of the same sizes again and again, and a list that no other thread touches is several times faster than `malloc`.
///
/// A block has a head of 16 bytes in which its size class stands. Blocks above 1 KiB, and more than 256 KiB of free
/// ones, are the C library's; a session and its frame buffer have pages of their own.
package final class PooledMemory: HTTP2Memory {
    // Class n has blocks of 16 n bytes behind the head.
    private static let classes = 64
    private static let unit = 16
    private static let head = 16
    private static let mostFree = 256 * 1024

    // Each list's first block; a free block's first word is the next one.
    private let lists = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: PooledMemory.classes + 1)
    private var freeBytes = 0
    private var pages = SessionPages()

    package override init() { lists.initialize(repeating: nil, count: Self.classes + 1) }

    deinit {
        trim()
        lists.deallocate()
    }

    package override func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0 else { return nil }
        guard size <= Self.classes * Self.unit else { return pages.allocate(size) ?? fresh(size, 0) }
        let number = (size + Self.unit - 1) / Self.unit
        guard let block = lists[number] else { return fresh(number * Self.unit, number) }
        lists[number] = block.load(as: UnsafeMutableRawPointer?.self)
        freeBytes &-= number * Self.unit
        return block
    }

    package override func release(_ block: UnsafeMutableRawPointer) {
        let number = block.load(fromByteOffset: -Self.head, as: Int.self)
        guard number > 0, freeBytes < Self.mostFree else { return releaseLarge(block, number) }
        block.storeBytes(of: lists[number], as: UnsafeMutableRawPointer?.self)
        lists[number] = block
        freeBytes &+= number * Self.unit
    }

    private func releaseLarge(_ block: UnsafeMutableRawPointer, _ number: Int) {
        if number < 0 { pages.release(block) } else { free(block - Self.head) }
    }

    package override func reallocate(_ block: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let block else { return allocate(size) }
        let number = block.load(fromByteOffset: -Self.head, as: Int.self)
        guard number != 0 else {
            // nghttp2 asks for no size that its head would take beyond what an Int holds.
            guard let moved = realloc(block - Self.head, size + Self.head) else { return nil }
            return moved + Self.head
        }
        let capacity = number > 0 ? number * Self.unit : -number
        guard size > capacity else { return block }
        guard let moved = allocate(size) else { return nil }
        moved.copyMemory(from: block, byteCount: capacity)
        release(block)
        return moved
    }

    /// Gives back what is free.
    package func trim() {
        for number in 0...Self.classes {
            while let block = lists[number] {
                lists[number] = block.load(as: UnsafeMutableRawPointer?.self)
                free(block - Self.head)
            }
        }
        freeBytes = 0
    }

    /// Bytes that wait to be used again.
    package var waiting: Int { freeBytes }

    private func fresh(_ size: Int, _ number: Int) -> UnsafeMutableRawPointer? {
        let (total, overflow) = size.addingReportingOverflow(Self.head)
        guard !overflow, let memory = malloc(total) else { return nil }
        memory.storeBytes(of: number, as: Int.self)
        return memory + Self.head
    }
}
