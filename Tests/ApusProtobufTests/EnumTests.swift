// SPDX-License-Identifier: Apache-2.0

import Testing

struct EnumTests {
    @Test func `a number without a name is a value of an open enum`() {
        let mood = Mood(rawValue: 77)
        #expect(mood == .unrecognized(77))
        #expect(mood.rawValue == 77)
    }
}
