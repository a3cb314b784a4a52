// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusTestSupport
import Testing

struct ChannelDefaultsTests {
    @Test func `a channel to a path calls a server that listens there`() async throws {
        let folder = try TemporaryFolder()
        let running = try Server([Health()]).start(on: .unix(path: "\(folder.path)/health.sock"))
        let channel = Channel(to: running.addresses[0])
        let answer = try await GRPCHealth.Client(channel).check(GRPCHealthCheckRequest())
        #expect(answer.status == .serving)
        channel.close()
        await running.stop()
    }

    @Test func `a channel has its address' name, a path's is that of this machine`() {
        #expect(Channel(to: .host("::1", port: 1)).name == "[::1]:1")
        #expect(Channel(to: .unix(path: "/run/x.sock")).name == "localhost")
    }
}
