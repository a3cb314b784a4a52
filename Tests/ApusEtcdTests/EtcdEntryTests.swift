// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
@testable import ApusEtcd
import Testing

struct EtcdEntryTests {
    private func decoded(_ text: String) throws(EtcdEntry.Problem) -> EtcdEntry {
        try EtcdEntry(decoding: Array(text.utf8))
    }

    @Test func `an entry carries everything that the instance says`() throws {
        let endpoint = Endpoint(
            host: "::1", port: 9, metadata: ["pid": "7", "weight": "heavy", "ü\"": "\n😀"], weight: 0.5)
        let instance = ServiceInstance(service: "shop/users", id: "i1", endpoint: endpoint)
        let entry = try EtcdEntry(decoding: EtcdEntry.encoded(instance))
        #expect(entry.endpoint == endpoint)
        #expect(entry.service == "shop/users")
        #expect(EtcdEntry.key(of: instance) == Array("shop/users/i1".utf8))
    }

    @Test func `a program in Go finds Op, Addr and Metadata where it looks for them`() throws {
        let endpoint = Endpoint(host: "10.0.0.7", port: 50051, metadata: ["zone": "a"])
        let bytes = try EtcdEntry.encoded(ServiceInstance(service: "users", id: "1", endpoint: endpoint))
        guard case .object(let members) = try JSONReader.read(bytes) else {
            Issue.record("it is no object")
            return
        }
        #expect(members["Op"] == .number(0))
        #expect(members["Addr"] == .string("10.0.0.7:50051"))
        guard case .object(let metadata) = members["Metadata"] else {
            Issue.record("Metadata is no object")
            return
        }
        #expect(metadata["zone"] == .string("a"))
    }

    @Test func `what a program in Go wrote is read`() throws {
        let plain = try decoded(#"{"Op":0,"Addr":"10.0.0.7:50051","Metadata":null}"#)
        #expect(plain == EtcdEntry(Endpoint(host: "10.0.0.7", port: 50051), service: nil))
        let rich = try decoded(#"{"Op":0,"Addr":"h:1","Metadata":{"zone":"b","weight":3,"tags":["x"]}}"#)
        #expect(rich.endpoint == Endpoint(host: "h", port: 1, metadata: ["zone": "b"], weight: 3))
        #expect(try decoded(#"{"Addr":"h:1","Metadata":"anything"}"#).endpoint == Endpoint(host: "h", port: 1))
    }

    @Test(arguments: [
        "", "hello", "[]", "{}", #"{"Addr":""}"#, #"{"Addr":7}"#, #"{"Addr":"nowhere"}"#, #"{"Addr":"memory:x"}"#,
        #"{"Addr":"h:1","Metadata":{"weight":-1}}"#,
    ])
    func `a value that is no entry is a problem`(text: String) {
        #expect(throws: EtcdEntry.Problem.self) { try decoded(text) }
    }

    @Test func `a value that is too large is not read`() {
        let text = #"{"Addr":"h:1","Metadata":""# + String(repeating: "x", count: EtcdEntry.maximumBytes) + "\"}"
        #expect(throws: EtcdEntry.Problem.self) { try decoded(text) }
    }

    @Test(arguments: [
        ServiceInstance(service: "", id: "1", endpoint: Endpoint(host: "h", port: 1)),
        ServiceInstance(service: "users", id: "", endpoint: Endpoint(host: "h", port: 1)),
        ServiceInstance(service: "users", id: "1", endpoint: Endpoint(.memory("x"))),
        ServiceInstance(service: "users", id: "1", endpoint: Endpoint(host: "h", port: 1, metadata: ["apus": "x"])),
        ServiceInstance(service: "users", id: "1", endpoint: Endpoint(host: "h", port: 1, weight: -1)),
        ServiceInstance(service: "users", id: "1", endpoint: Endpoint(host: "h", port: 1, weight: .infinity)),
    ])
    func `an instance that no reader would find again is refused`(instance: ServiceInstance) {
        #expect { try EtcdEntry.encoded(instance) } throws: { ($0 as? RPCError)?.code == .invalidArgument }
    }

    @Test func `a service's keys end where the slash behind its name does`() {
        let prefix = EtcdEntry.prefix(of: "users")
        let end = EtcdEntry.end(ofPrefix: prefix)
        #expect(end == Array("users0".utf8))
        for key in ["users/", "users/\u{7F}", "users/é"] {
            #expect(!Array(key.utf8).lexicographicallyPrecedes(prefix))
            #expect(Array(key.utf8).lexicographicallyPrecedes(end))
        }
        #expect(Array("users-2/a".utf8).lexicographicallyPrecedes(prefix))
    }
}
