// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Something that a policy keeps for each endpoint, such as its counts, or for each snapshot of a service's endpoints,
/// such as a balancer's table: it lives and dies with the handle or the snapshot, and is found without a lock.
@usableFromInline
package final class EndpointAttachment: Sendable {
    /// Names a policy's attachments. Different for any two policies of a process.
    @usableFromInline
    package struct Owner: Sendable, Hashable {
        private static let last = Atomic<UInt64>(0)
        @usableFromInline let number: UInt64

        package init() { number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    @usableFromInline let owner: UInt64
    @usableFromInline let value: any AnyObject & Sendable
    @usableFromInline let next = OnceReference<EndpointAttachment>()

    @inlinable
    init(_ owner: Owner, _ value: any AnyObject & Sendable) {
        self.owner = owner.number
        self.value = value
    }
}

/// The attachments of one handle or snapshot: a short list to which each policy adds once.
@usableFromInline
struct EndpointAttachments: ~Copyable, Sendable {
    @usableFromInline let first = OnceReference<EndpointAttachment>()

    @inlinable
    init() {}

    @inlinable
    func value<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        var place = first.object
        while let attachment = place {
            // Safe: an owner's attachments in one list are all of one type, and owners have different names.
            if attachment.owner == owner.number { return unsafeDowncast(attachment.value, to: T.self) }
            place = attachment.next.object
        }
        let value = make()
        let stored = add(EndpointAttachment(owner, value))
        return unsafeDowncast(stored.value, to: T.self)
    }

    /// Puts the attachment behind all others, unless another thread was faster.
    @usableFromInline
    func add(_ new: EndpointAttachment) -> EndpointAttachment {
        var place = first.storeIfNil(new)
        while place !== new, place.owner != new.owner { place = place.next.storeIfNil(new) }
        return place
    }
}

extension EndpointHandle {
    /// What the owner keeps for this endpoint; made when it is first asked for. An owner keeps one type of thing.
    @inlinable
    package func attachment<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        attachments.value(of: owner, make: make)
    }
}

extension Candidates {
    /// What the owner keeps for this snapshot; made when it is first asked for, perhaps by several threads at once, of
    /// which one makes the thing that stays. An owner keeps one type of thing.
    @inlinable
    package func attachment<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        snapshot.attachments.value(of: owner, make: make)
    }
}
