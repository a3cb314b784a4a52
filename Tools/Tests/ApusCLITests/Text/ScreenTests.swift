// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct ScreenTests {
    @Test func `a peer's text cannot move the cursor or begin a line`() {
        #expect(Screen.harmless("a\n\u{1B}[2Jb\u{9B}c\t") == "a  [2Jb c ")
        #expect(Screen.harmless("größer ✓") == "größer ✓")
    }
}
