// SPDX-License-Identifier: Apache-2.0

/// Finds the route of a `:path` from its bytes, without making a string. Immutable.
///
/// An open-addressing table keyed by a hash in the manner of FNV-1a over the path's words: paths are the server's own, so nobody else chooses
/// which keys collide, and the probing of a foreign path is bounded by the table's empty half.
public final class Router: Sendable {
    /// A route with what the server needs to start its handler.
    public final class Entry: Sendable {
        /// The method and its handler.
        public let route: Route
        /// Where the handler runs.
        public let execution: HandlerExecution
        /// The number of the service it belongs to.
        public let service: Int
        let path: [UInt8]

        init(_ route: Route, _ execution: HandlerExecution, service: Int) {
            self.route = route
            self.execution = execution
            self.service = service
            path = Array(route.method.path.utf8)
        }
    }

    private let entries: [Entry]
    private let slots: [Int32]

    /// A table of all methods of the services.
    ///
    /// - Throws: FAILED_PRECONDITION when two services have the same method.
    public init(_ services: [any Service]) throws(RPCError) {
        var entries: [Entry] = []
        for (number, service) in services.enumerated() {
            let execution = service.execution
            for route in service.routes { entries.append(Entry(route, execution, service: number)) }
        }
        var capacity = 8
        while capacity < entries.count * 2 { capacity *= 2 }
        var slots = [Int32](repeating: -1, count: capacity)
        for (index, entry) in entries.enumerated() {
            var slot = entry.path.withUnsafeBytes(Self.hash) & (capacity - 1)
            while slots[slot] >= 0 {
                if entries[Int(slots[slot])].path == entry.path {
                    throw RPCError(.failedPrecondition, "two services serve \(entry.route.method.path)")
                }
                slot = (slot + 1) & (capacity - 1)
            }
            slots[slot] = Int32(index)
        }
        self.entries = entries
        self.slots = slots
    }

    /// All methods in the order of the services.
    public var methods: [MethodDescriptor] { entries.map(\.route.method) }

    /// The index of the path's entry; nil for a path that nobody serves.
    package func find(_ path: UnsafeRawBufferPointer) -> Int? {
        let mask = slots.count - 1
        var slot = Self.hash(path) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if entries[index].path.withUnsafeBytes({ Self.same($0, path) }) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    package subscript(index: Int) -> Entry { entries[index] }

    private static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        var offset = 0
        while offset + 8 <= a.count {
            guard word(a, offset) == word(b, offset) else { return false }
            offset += 8
        }
        while offset < a.count {
            guard a[offset] == b[offset] else { return false }
            offset += 1
        }
        return true
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = mixed(hash, word(bytes, offset))
            offset += 8
        }
        while offset < bytes.count {
            hash = mixed(hash, UInt64(bytes[offset]))
            offset += 1
        }
        return Int(truncatingIfNeeded: hash ^ (hash >> 32))
    }

    // The upper half of a product depends on all bits, and the next word takes the lower half over.
    @inline(__always)
    private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0x0000_0100_0000_01b3
        return product ^ (product >> 29)
    }

    // `offset + 8` is at most the count.
    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
