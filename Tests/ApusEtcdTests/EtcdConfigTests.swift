// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import ApusTransport
import Testing

@testable import ApusEtcd

@Suite(.timeLimit(.minutes(2)))
struct EtcdConfigTests {
    private let etcd = ScriptedEtcd()
    private let clock = ManualClock()

    private func next(_ documents: inout AsyncStream<Result<[UInt8], RPCError>>.Iterator) async -> String? {
        switch await documents.next(isolation: #isolation) {
        case .success(let bytes): String(decoding: bytes, as: UTF8.self)
        case .failure(let error): error.code.name
        case nil: nil
        }
    }

    @Test func `a document is read, followed through broken watches and lost history, and its connection ends`()
        async throws
    {
        let network = InMemoryNetwork()
        let running = try network.start(Server(etcd.services), as: "etcd")
        let config = EtcdConfig("users", [.memory("etcd")], options: .patient, clock: clock) { network.transport() }
        #expect(config.name == "etcd:users")
        do {
            var documents = config.documents().makeAsyncIterator()
            #expect(await next(&documents) == "NOT_FOUND")
            etcd.put("users", "one")
            #expect(await next(&documents) == "one")
            await etcd.breakWatches()
            #expect(await next(&documents) == "UNAVAILABLE")
            etcd.put("users", "two")
            etcd.put("users", "three")
            etcd.compact()
            await clock.waitForSleepers()
            clock.advance(by: .seconds(10))
            var heard = await next(&documents)
            // The last good one may be told again when the watch is there, before etcd says what it has forgotten.
            while heard != "three" { heard = await next(&documents) }
            #expect(etcd.calls("Range") == 2)
        }
        while running.counts.connections > 0 { await Task.yield() }
        await running.stop(grace: .seconds(10))
    }

    @Test func `without a member or a key there is nothing to follow`() {
        for (key, members) in [("a", []), ("", [Endpoint.Address.memory("etcd")])] {
            let error = #expect(throws: RPCError.self) { try EtcdConfig(key, members) }
            #expect(error?.code == .invalidArgument)
        }
    }
}
