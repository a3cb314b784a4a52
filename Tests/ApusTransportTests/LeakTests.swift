// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import ApusCore
    import ApusTransport
    import CMallocInfo
    import Foundation
    import Testing

    /// Calls leave nothing behind. In processes of their own, so that memory and descriptors are the calls' alone.
    @Suite struct LeakTests {
        @Test func `ten thousand calls one after the other leave nothing behind`() async {
            await #expect(processExitsWith: .success) {
                let pair = try Pair(.tcp)
                try await pair.call(2000, inFlight: 1)
                let before = Holdings()
                try await pair.call(10_000, inFlight: 1)
                before.expectNoGrowth(pair.running)
                #expect(pair.running.counts.calls == 12_000)
                await pair.close()
            }
        }

        @Test func `a hundred thousand calls, a thousand in flight, leave nothing behind`() async {
            await #expect(processExitsWith: .success) {
                var options = ServerOptions()
                options.maximumConcurrentStreams = 1000
                let pair = try Pair(.tcp, server: options)
                try await pair.call(20_000, inFlight: 1000)
                let before = Holdings()
                try await pair.call(100_000, inFlight: 1000)
                before.expectNoGrowth(pair.running)
                #expect(pair.running.counts.calls == 120_000)
                await pair.close()
            }
        }

        @Test(arguments: BadCall.allCases)
        fileprivate func `calls that do not succeed leave nothing behind`(_ kind: BadCall) async {
            await #expect(processExitsWith: .success) { [kind = kind as BadCall] in
                let pair = try Pair(.tcp, serving: [OddService()])
                await pair.call(kind, 500)
                await eventually { pair.running.counts.handlers == 0 }
                let before = Holdings()
                await pair.call(kind, 2000)
                await eventually { pair.running.counts.handlers == 0 }
                before.expectNoGrowth(pair.running)
                await pair.close()
            }
        }

        @Test func `connections leave nothing behind`() async {
            await #expect(processExitsWith: .success) {
                let pair = try Pair(.tcp)
                try await pair.connect(100)
                let before = Holdings()
                try await pair.connect(1000)
                before.expectNoGrowth(pair.running, connections: 0)
                await pair.close()
            }
        }
    }

    private enum BadCall: String, Codable, CaseIterable {
        case failed, unknown, late, abandoned, cancelled
    }

    /// What this process holds.
    private struct Holdings {
        let memory = apus_malloc_in_use()
        let descriptors = Holdings.openDescriptors

        // A leak of one small object for each call would be several times as much.
        private static let allowance = 256 * 1024

        static var openDescriptors: Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
        }

        func expectNoGrowth(_ running: RunningServer, connections: Int = 1) {
            let growth = Int(apus_malloc_in_use()) - Int(memory)
            #expect(growth < Self.allowance, "\(growth) bytes more than before")
            #expect(Self.openDescriptors <= descriptors)
            #expect(running.counts.handlers == 0)
            #expect(running.counts.connections == connections)
        }
    }

    extension Pair {
        fileprivate func call(_ count: Int, inFlight: Int) async throws {
            try await withThrowingTaskGroup { group in
                for _ in 0..<inFlight {
                    group.addTask {
                        for index in 0..<count / inFlight {
                            let answer = try await channel.unary(EchoService.Methods.echo, MessageBytes("\(index)"))
                            #expect(answer.message.text == "\(index)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        fileprivate func call(_ kind: BadCall, _ count: Int) async {
            for index in 0..<count {
                switch kind {
                case .failed: _ = try? await channel.unary(EchoService.Methods.fail, MessageBytes("no"))
                case .unknown: _ = try? await channel.unary(EchoService.Methods.unknown, MessageBytes("no"))
                case .late:
                    let options = CallOptions(timeout: .microseconds(index % 2000))
                    _ = try? await channel.unary(OddService.Methods.wait, MessageBytes("no"), options: options)
                case .abandoned:
                    let request = MessageBytes([1, 0])
                    let stream = try? await channel.serverStreaming(EchoService.Methods.repeatTimes, request)
                    _ = try? await stream?.next()
                case .cancelled:
                    let task = Task { try await channel.unary(OddService.Methods.wait, MessageBytes("no")) }
                    await Task.yield()
                    task.cancel()
                    _ = try? await task.value
                }
            }
        }

        fileprivate func connect(_ count: Int) async throws {
            for _ in 0..<count {
                let channel = Channel("echo", interceptors: [ToEndpoint(running.addresses[0])])
                _ = try await channel.unary(EchoService.Methods.echo, MessageBytes("x"))
                channel.close()
            }
            await eventually { running.counts.connections == 0 }
        }
    }
#endif
