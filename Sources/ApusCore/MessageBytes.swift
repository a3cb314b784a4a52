// SPDX-License-Identifier: Apache-2.0

/// One serialized message: immutable bytes behind one reference, with room for gRPC's five-byte prefix in front.
///
/// The prefix (compressed flag, big-endian length) is written when the bytes are made, so a message goes to the
/// wire from the buffer it was encoded into, and a retry sends the same buffer again.
/// Source: gRPC over HTTP/2, *Length-Prefixed-Message*.
public struct MessageBytes: @unchecked Sendable {
    /// Bytes of the gRPC message prefix.
    public static let prefixSize = 5

    /// The largest message that the prefix can describe.
    public static let maximumCount = Int(UInt32.max)

    // Written only inside an initializer, or while nobody else has it, and immutable once it is shared: hence Sendable.
    @usableFromInline
    final class Storage: ManagedBuffer<Header, UInt8> {}

    // One word: what the prefix cannot say costs nothing.
    @usableFromInline
    struct Header {
        @usableFromInline var count: UInt32
        @usableFromInline var arrivedCompressed = false
        @usableFromInline var staysUncompressed = false

        @inlinable
        init(count: Int) { self.count = UInt32(truncatingIfNeeded: count) }
    }

    @usableFromInline var storage: Storage

    /// The number of bytes of the message, without its prefix.
    @inlinable public var count: Int { Int(header.count) }

    // By its address: the class's own property checks for exclusive access each time.
    @inlinable var header: Header {
        get { storage.withUnsafeMutablePointerToHeader { $0.pointee } }
        nonmutating set { storage.withUnsafeMutablePointerToHeader { $0.pointee = newValue } }
    }

    /// Whether the message has no bytes (a legal message: every field has its default).
    @inlinable public var isEmpty: Bool { count == 0 }

    /// A message of `count` bytes, written by `body` into uninitialized memory. `body` must fill all of it.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when `count` does not fit the prefix; whatever `body` throws.
    @inlinable
    public init(count: Int, initializingWith body: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard count >= 0, count <= Self.maximumCount else {
            throw RPCError(.resourceExhausted, "a message of \(count) bytes does not fit gRPC's 4-byte length")
        }
        try self.init(unchecked: count, body)
    }

    /// A message with the given bytes; more than ``maximumCount`` of them are a programmer's error.
    public init(_ bytes: some Collection<UInt8>) {
        precondition(bytes.count <= Self.maximumCount)
        self.init(unchecked: bytes.count) { target in
            target.copyBytes(from: bytes)
        }
    }

    @inlinable
    package init(
        unchecked count: Int, compressed: Bool = false, _ body: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let buffer = Storage.create(minimumCapacity: count + Self.prefixSize) { _ in Header(count: count) }
        storage = unsafeDowncast(buffer, to: Storage.self)
        try storage.withUnsafeMutablePointerToElements { start in
            let raw = UnsafeMutableRawPointer(start)
            raw.storeBytes(of: compressed ? 1 : 0, as: UInt8.self)
            raw.storeBytes(of: UInt32(truncatingIfNeeded: count).bigEndian, toByteOffset: 1, as: UInt32.self)
            try body(UnsafeMutableRawBufferPointer(start: raw + Self.prefixSize, count: count))
        }
    }

    /// Calls `body` with the message's bytes. The pointer is valid only during the call.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let size = count
        return try storage.withUnsafeMutablePointerToElements { (start) throws(E) -> R in
            try body(UnsafeRawBufferPointer(start: start + Self.prefixSize, count: size))
        }
    }

    /// Calls `body` with prefix and message, as they go to the wire.
    @inlinable
    package func withUnsafeFrame<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let size = count + Self.prefixSize
        return try storage.withUnsafeMutablePointerToElements { (start) throws(E) -> R in
            try body(UnsafeRawBufferPointer(start: start, count: size))
        }
    }

    /// What keeps the bytes of ``withUnsafeFrame(_:)`` alive and in place.
    package var owner: AnyObject { storage }

    /// The message's bytes, copied.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

extension MessageBytes: Equatable {
    /// Whether both messages have the same bytes.
    public static func == (left: MessageBytes, right: MessageBytes) -> Bool {
        left.withUnsafeBytes { a in right.withUnsafeBytes { b in a.elementsEqual(b) } }
    }
}

extension MessageBytes: CustomStringConvertible {
    /// The size only: message contents do not belong in logs.
    public var description: String { "\(count) bytes" }
}

/// A message under assembly from pieces that arrive: memory for all of it is taken at once, bytes are appended.
///
/// Confined to its owner. ``finish()`` hands the buffer over; the builder is empty afterwards.
@usableFromInline
package struct MessageBytesBuilder: ~Copyable {
    @usableFromInline let storage: MessageBytes.Storage
    @usableFromInline var filled = 0
    @usableFromInline package let count: Int

    /// `count` comes off the wire and was checked against the size limit by the caller.
    @inlinable
    package init(count: Int, compressed: Bool = false) {
        self.count = count
        let message = MessageBytes(unchecked: count, compressed: compressed) { _ in }
        storage = message.storage
    }

    @inlinable package var missing: Int { count - filled }

    /// Copies as much of `bytes` as is missing and tells how much that was.
    @inlinable
    package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        let taken = min(bytes.count, missing)
        guard taken > 0, let source = bytes.baseAddress else { return 0 }
        let offset = MessageBytes.prefixSize + filled
        storage.withUnsafeMutablePointerToElements { start in
            UnsafeMutableRawPointer(start + offset).copyMemory(from: source, byteCount: taken)
        }
        filled += taken
        return taken
    }

    @inlinable package consuming func finish() -> MessageBytes { MessageBytes(storage: storage) }
}

extension MessageBytes {
    @usableFromInline init(storage: Storage) { self.storage = storage }
}
