// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct TextTableTests {
    @Test func `words stand to the left, numbers to the right, and nothing trails`() {
        var table = TextTable(header: ["NAME", "P99"], leftColumns: 1)
        table.add(["a", "1,000"])
        table.add(["longer", "2"])
        #expect(table.lines == ["NAME      P99", "a       1,000", "longer      2"])
    }

    @Test func `short rows are fine`() {
        var table = TextTable(header: ["A", "B"], leftColumns: 2)
        table.add(["only"])
        #expect(table.lines == ["A     B", "only"])
    }
}
