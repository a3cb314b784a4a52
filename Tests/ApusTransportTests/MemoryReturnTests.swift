// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import ApusCore
    import ApusTransport
    import Foundation
    import Testing

    /// What many connections took goes back to the system when they have closed. In a process of its own.
    @Suite(.timeLimit(.minutes(10))) struct MemoryReturnTests {
        @Test func `the memory of many connections goes back to the system`() async {
            await #expect(processExitsWith: .success) {
                allowManyDescriptors()
                let running = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0))
                let address = running.addresses[0]
                try await script { for _ in 0..<10 { _ = try RawPeer.client(of: address) } }
                await eventually { running.counts.connections == 0 }
                let before = residentBytes
                let peers = try await script { try (0..<1500).map { _ in try RawPeer.client(of: address) } }
                await eventually { running.counts.connections == 1500 }
                let taken = residentBytes - before
                #expect(taken > 15 << 20)
                for peer in peers { peer.socket.close() }
                await eventually { running.counts.connections == 0 }
                await eventually { residentBytes - before < taken / 3 }
            }
        }
    }

    // Each connection has two ends here, and the tests beside it may have left some in this process.
    private func allowManyDescriptors() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 10_000))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private var residentBytes: Int {
        let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        return (pages.flatMap { Int($0) } ?? 0) * Int(getpagesize())
    }
#endif
