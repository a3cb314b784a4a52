// SPDX-License-Identifier: Apache-2.0

/// A queue over one array: appended at the back, taken from the front, both in constant time.
///
/// Inlinable all over: queues of jobs and messages are specialized where they are used.
@usableFromInline
package struct Deque<Element> {
    @usableFromInline var slots: [Element?] = []
    @usableFromInline var head = 0
    @usableFromInline package var count = 0

    @inlinable package init() {}

    @inlinable package var isEmpty: Bool { count == 0 }

    @inlinable package var first: Element? { count == 0 ? nil : slots[head] }

    @inlinable
    package mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head + count) & (slots.count - 1)] = element
        count += 1
    }

    @inlinable
    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head].take()
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return element
    }

    @inlinable
    package mutating func removeAll() { self = Deque() }

    // The capacity stays a power of two, so that positions wrap with a mask.
    @usableFromInline
    mutating func grow() {
        var next = [Element?](repeating: nil, count: max(8, slots.count * 2))
        for index in 0..<count { next[index] = slots[(head + index) & (slots.count - 1)] }
        slots = next
        head = 0
    }
}

extension Deque: Sendable where Element: Sendable {}
