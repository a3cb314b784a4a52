// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct QueryWordsTests {
    @Test(arguments: [
        ([String](), false, nil, nil), ([":1"], false, ":1", nil), ([":1", "a.B"], false, ":1", "a.B"),
        (["a.B"], true, nil, "a.B"), ([":1", "a.B"], true, ":1", "a.B"), ([], true, nil, nil),
    ])
    func `with files the server may be left out`(words: [String], isLocal: Bool, address: String?, symbol: String?)
        throws
    {
        let query = try QueryWords(words, isLocal: isLocal, takesSymbol: .preferred)
        #expect((query.address, query.symbol) == (address, symbol))
    }

    @Test func `a lone address besides files is an address where a name is not needed`() throws {
        #expect(try QueryWords(["localhost:1"], isLocal: true, takesSymbol: .optional).symbol == nil)
        #expect(try QueryWords(["a.B"], isLocal: true, takesSymbol: .optional).symbol == "a.B")
    }

    @Test func `a third word is a mistake`() {
        #expect(throws: Mistake.self) { try QueryWords(["a", "b", "c"], isLocal: false, takesSymbol: .optional) }
    }
}
