// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusChannelz

@Suite struct PageTests {
    @Test func `a page begins at its first id and says whether it is the last`() throws {
        let page = try Page(of: [9, 3, 5, 7], from: 4, length: 2)
        #expect(page.ids == [5, 7])
        #expect(!page.isLast)
        let last = try Page(of: [9, 3, 5, 7], from: 8, length: 2)
        #expect(last.ids == [9])
        #expect(last.isLast)
    }

    @Test func `a page is bounded whatever was asked for`() throws {
        #expect(try Page(of: 1...500, from: 0, length: 0).ids.count == 100)
        #expect(try Page(of: 1...500, from: 0, length: .max).ids.count == 100)
    }

    @Test func `negative numbers are invalid arguments`() {
        #expect(throws: RPCError.self) { try Page(of: [1], from: -1, length: 0) }
        #expect(throws: RPCError.self) { try Page(of: [1], from: 0, length: -1) }
    }
}
