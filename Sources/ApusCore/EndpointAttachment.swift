// SPDX-License-Identifier: Apache-2.0

public import Synchronization

/// Something that a policy keeps for each endpoint, such as its counts, or for each snapshot of a service's endpoints,
/// such as a balancer's table: it lives and dies with the handle or the snapshot, and is found without a lock.
///
/// When its policy is gone, the next policy that adds something takes its place: policies that a service config changes
/// again and again leave nothing behind.
@usableFromInline
package final class EndpointAttachment: Sendable {
    /// Names a policy's attachments. Different for any two policies of a process.
    @usableFromInline
    package struct Owner: Sendable {
        private static let last = Atomic<UInt64>(0)
        @usableFromInline let number: UInt64
        @usableFromInline let life = Life()

        package init() { number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    /// Lives as long as the owner: while anybody may ask for its attachments.
    @usableFromInline
    final class Life: Sendable {
        @inlinable init() {}
    }

    private static var nobody: UInt64 { 0 }

    // The value's address, retained here. It is replaced after its owner's life, when nobody reads it any more, and
    // published by the owner's number.
    @usableFromInline let owner: Atomic<UInt64>
    @usableFromInline let address: Atomic<UInt>
    @usableFromInline let next = OnceReference<EndpointAttachment>()
    // Read and written under the list's lock alone.
    private nonisolated(unsafe) weak var life: Life?

    init(_ owner: Owner, _ value: any AnyObject & Sendable) {
        self.owner = Atomic(owner.number)
        address = Atomic(UInt(bitPattern: Unmanaged<AnyObject>.passRetained(value).toOpaque()))
        life = owner.life
    }

    deinit { Self.release(address.load(ordering: .acquiring)) }

    var isAbandoned: Bool { life == nil }

    /// Gives the place of an owner that is gone to another.
    ///
    /// - Returns: the address of what was here, to be released outside of the lock.
    func reuse(for owner: Owner, _ value: any AnyObject & Sendable) -> UInt {
        self.owner.store(Self.nobody, ordering: .relaxed)
        let new = UInt(bitPattern: Unmanaged<AnyObject>.passRetained(value).toOpaque())
        let old = address.exchange(new, ordering: .acquiringAndReleasing)
        life = owner.life
        self.owner.store(owner.number, ordering: .releasing)
        return old
    }

    /// The value, of whose type the caller is sure.
    @inlinable
    func value<T: AnyObject & Sendable>(_ type: T.Type) -> T? {
        guard let place = UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return nil }
        return Unmanaged<T>.fromOpaque(place).takeUnretainedValue()
    }

    static func release(_ bits: UInt) {
        guard let place = UnsafeRawPointer(bitPattern: bits) else { return }
        Unmanaged<AnyObject>.fromOpaque(place).release()
    }
}

/// The attachments of one handle or snapshot: a short list to which each policy adds once.
@usableFromInline
struct EndpointAttachments: ~Copyable, Sendable {
    @usableFromInline let first = OnceReference<EndpointAttachment>()
    // Taken to add, not to read.
    @usableFromInline let lock = Mutex<Void>(())

    @inlinable
    init() {}

    @inlinable
    func value<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        // Its place is its own until its life ends.
        withExtendedLifetime(owner.life) {
            // Safe: an owner's attachments in one list are all of one type, and owners have different names.
            if let known = place(of: owner)?.value(T.self) { return known }
            let value = make()
            return add(value, owner).value(T.self) ?? value
        }
    }

    @inlinable
    func place(of owner: EndpointAttachment.Owner) -> EndpointAttachment? {
        var place = first.object
        while let attachment = place {
            if attachment.owner.load(ordering: .acquiring) == owner.number { return attachment }
            place = attachment.next.object
        }
        return nil
    }

    /// Puts the value in the place of an owner that is gone or behind all others, unless another thread was faster.
    @usableFromInline
    func add(_ value: any AnyObject & Sendable, _ owner: EndpointAttachment.Owner) -> EndpointAttachment {
        var old: UInt = 0
        defer { EndpointAttachment.release(old) }
        return lock.withLock { _ in
            if let known = place(of: owner) { return known }
            var (place, last) = (first.object, EndpointAttachment?.none)
            while let attachment = place {
                if attachment.isAbandoned {
                    old = attachment.reuse(for: owner, value)
                    return attachment
                }
                (last, place) = (attachment, attachment.next.object)
            }
            let new = EndpointAttachment(owner, value)
            return last?.next.storeIfNil(new) ?? first.storeIfNil(new)
        }
    }

    /// How many places there are.
    var count: Int {
        var (place, count) = (first.object, 0)
        while let attachment = place { (place, count) = (attachment.next.object, count + 1) }
        return count
    }
}

extension EndpointHandle {
    /// What the owner keeps for this endpoint; made when it is first asked for. An owner keeps one type of thing.
    @inlinable
    package func attachment<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        attachments.value(of: owner, make: make)
    }

    /// How many owners have kept something here at the same time.
    package var attachmentCount: Int { attachments.count }
}

extension Candidates {
    /// What the owner keeps for this snapshot; made when it is first asked for, perhaps by several threads at once, of
    /// which one makes the thing that stays. An owner keeps one type of thing.
    @inlinable
    package func attachment<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        snapshot.attachments.value(of: owner, make: make)
    }

    /// How many owners have kept something here at the same time.
    package var attachmentCount: Int { snapshot.attachments.count }
}
