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
}
