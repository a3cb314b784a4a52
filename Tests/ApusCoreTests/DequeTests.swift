// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

struct DequeTests {
    @Test func `over random histories it behaves like an array`() {
        let random = SplitMixRandom(seed: 31)
        var deque = Deque<Int>()
        var array: [Int] = []
        for step in 0..<50_000 {
            switch random.index(below: 100) {
            case 0:
                deque.removeAll()
                array.removeAll()
            case 1..<55:
                deque.append(step)
                array.append(step)
            default:
                let popped = deque.popFirst()
                #expect(popped == (array.isEmpty ? nil : array.removeFirst()))
            }
            #expect(deque.count == array.count && deque.first == array.first && deque.isEmpty == array.isEmpty)
        }
    }

    @Test func `what was taken out is released`() {
        final class Token {}
        var deque = Deque<Token>()
        weak var released: Token?
        do {
            let token = Token()
            released = token
            deque.append(token)
        }
        #expect(released != nil)
        _ = deque.popFirst()
        #expect(released == nil)
    }
}
