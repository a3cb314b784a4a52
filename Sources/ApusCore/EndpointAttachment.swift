// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Something that a policy keeps for each endpoint, such as its counts: it lives and dies with the handle, and is found
/// without a lock.
package final class EndpointAttachment: Sendable {
    /// Names a policy's attachments. Different for any two policies of a process.
    package struct Owner: Sendable, Hashable {
        private static let last = Atomic<UInt64>(0)
        private let number: UInt64

        package init() { number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    fileprivate let owner: Owner
    fileprivate let value: any AnyObject & Sendable
    fileprivate let next = AtomicLazyReference<EndpointAttachment>()

    fileprivate init(_ owner: Owner, _ value: any AnyObject & Sendable) {
        self.owner = owner
        self.value = value
    }
}

extension EndpointHandle {
    /// What the owner keeps for this endpoint; made when it is first asked for. An owner keeps one type of thing.
    package func attachment<T: AnyObject & Sendable>(of owner: EndpointAttachment.Owner, make: () -> T) -> T {
        if let known = find(owner) { return Self.value(of: known) }
        let new = EndpointAttachment(owner, make())
        var place = attachments.storeIfNil(new)
        while place !== new {
            if place.owner == owner { return Self.value(of: place) }
            place = place.next.storeIfNil(new)
        }
        return Self.value(of: new)
    }

    private func find(_ owner: EndpointAttachment.Owner) -> EndpointAttachment? {
        var place = attachments.load()
        while let attachment = place {
            if attachment.owner == owner { return attachment }
            place = attachment.next.load()
        }
        return nil
    }

    // Safe: an owner's attachments are all of one type, and owners have different names.
    private static func value<T: AnyObject>(of attachment: EndpointAttachment) -> T {
        unsafeDowncast(attachment.value, to: T.self)
    }
}
