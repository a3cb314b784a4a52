// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusCLI

struct EtcdLedgerTests {
    private func read(_ key: String, _ value: String) -> InstanceRow? {
        EtcdLedger.row(Array(key.utf8), Array(value.utf8))
    }

    @Test func `a key of ours tells service, weight and metadata`() throws {
        let value = """
            {"Op": 0, "Addr": "10.0.0.7:1", "Metadata": {"zone": "b", "apus": {"service": "a/b", "weight": 2}}}
            """
        let row = try #require(read("a/b/c/d", value))
        #expect((row.service, row.id, row.address, row.weight) == ("a/b", "c/d", "10.0.0.7:1", 2))
        #expect(row.metadata == ["zone": "b"])
    }

    @Test func `a key that a program in Go has put is one, too`() throws {
        let row = try #require(read("users/10.0.0.7:1", #"{"Op":0,"Addr":"10.0.0.7:1","Metadata":null}"#))
        #expect((row.service, row.id, row.weight) == ("users", "10.0.0.7:1", 1))
    }

    @Test(arguments: [("users", #"{"Addr":"h:1"}"#), ("users/1", "hello"), ("users/1", "{}"), ("users/1", "[1]")])
    func `other keys are none`(key: String, value: String) { #expect(read(key, value) == nil) }
}
