// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct ScreenTests {
    @Test func `a peer's text cannot move the cursor or begin a line`() {
        #expect(Screen.harmless("a\n\u{1B}[2Jb\u{9B}c\t") == #"a\n\u001B[2Jb\u009Bc\t"#)
        #expect(Screen.harmless("a\r\nb\u{202E}c\u{0}") == #"a\r\nb\u202Ec\u0000"#)
        #expect(Screen.harmless("größer ✓") == "größer ✓")
    }

    @Test func `lines keep their ends and nothing else`() {
        #expect(Screen.harmlessLines("a\n\tb\u{7F}\u{85}") == "a\n\tb\\u007F\\u0085")
    }
}
