// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import ApusTestSupport
import Testing

struct PinnedEndpointTests {
    @Test func `every call goes to the one endpoint, through the same handle`() async throws {
        let script = ScriptedTransport()
        let observer = RecordingObserver()
        script.otherwise.reply()
        let channel = Channel(
            "users", interceptors: [PinnedEndpoint(.local(50051))], transport: script, observer: observer)
        for _ in 0..<3 { try await channel.ask() }
        #expect(script.calls.map(\.endpoint?.endpoint) == [.local(50051), .local(50051), .local(50051)])
        #expect(Set(observer.picks).count == 1)
        #expect(observer.picks[0].callsInFlight == 0)
    }

    @Test func `over real connections its server alone is called`() async throws {
        let servers: [Served.Handler] = (0..<2).map { number in { _ in "\(number)" } }
        try await Served.run(servers, client: [PinnedEndpoint(Endpoint(.memory("server-1")))]) { channel in
            for _ in 0..<10 {
                let answer = try await channel.ask()
                #expect(answer == "1")
            }
        }
    }
}
