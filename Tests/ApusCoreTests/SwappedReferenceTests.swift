// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization
import Testing

private final class Numbered: Sendable {
    static let alive = Atomic<Int>(0)
    let number: Int

    init(_ number: Int) {
        self.number = number
        Self.alive.add(1, ordering: .relaxed)
    }

    deinit { Self.alive.subtract(1, ordering: .relaxed) }
}

struct SwappedReferenceTests {
    @Test func `readers see each object whole while it is replaced, and none is left behind`() async {
        do {
            let place = SwappedReference(Numbered(0))
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var last = 0
                        for _ in 0..<5000 {
                            guard let number = place.object?.number, number >= last else { return false }
                            last = number
                        }
                        return true
                    }
                }
                for number in 1...500 { place.replace(with: Numbered(number)) }
                for await isOrdered in group { #expect(isOrdered) }
            }
            #expect(place.object?.number == 500)
        }
        #expect(Numbered.alive.load(ordering: .relaxed) == 0)
    }

    @Test func `the object that was replaced is released at once when nobody reads`() {
        let first = Weak()
        let place = SwappedReference(Unnumbered())
        first.object = place.object
        place.replace(with: Unnumbered())
        #expect(first.object == nil)
    }
}

private final class Unnumbered: Sendable {}

private final class Weak {
    weak var object: Unnumbered?
}
