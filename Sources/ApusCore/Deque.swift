// SPDX-License-Identifier: Apache-2.0

/// A queue over one array: appended at the back, taken from the front, both in constant time.
package struct Deque<Element> {
    private var slots: [Element?] = []
    private var head = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package var first: Element? { count == 0 ? nil : slots[head] }

    package mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head + count) & (slots.count - 1)] = element
        count += 1
    }

    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head].take()
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return element
    }

    package mutating func removeAll() { self = Deque() }

    // The capacity stays a power of two, so that positions wrap with a mask.
    private mutating func grow() {
        var next = [Element?](repeating: nil, count: max(8, slots.count * 2))
        for index in 0..<count { next[index] = slots[(head + index) & (slots.count - 1)] }
        slots = next
        head = 0
    }
}

extension Deque: Sendable where Element: Sendable {}
