// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import ApusCore
    import ApusTransport
    import CMallocInfo
    import Foundation
    import Testing

    /// Calls leave nothing behind. In processes of their own, so that memory and descriptors are the calls' alone.
    @Suite(.serialized) struct LeakTests {
        @Test func `ten thousand calls one after the other leave nothing behind`() async {
            await #expect(processExitsWith: .success) {
                let pair = try Pair(.tcp)
                try await expectNothingLeft(of: 1000, pair.running) { try await pair.call($0, inFlight: 1) }
                #expect(pair.running.counts.calls == 11_000)
                await pair.close()
            }
        }

        @Test func `a hundred thousand calls, a thousand in flight, leave nothing behind`() async {
            await #expect(processExitsWith: .success) {
                var options = ServerOptions()
                options.maximumConcurrentStreams = 1000
                let pair = try Pair(.tcp, server: options)
                try await expectNothingLeft(of: 10_000, pair.running) { try await pair.call($0, inFlight: 1000) }
                #expect(pair.running.counts.calls == 110_000)
                await pair.close()
            }
        }

        @Test(arguments: BadCall.allCases)
        fileprivate func `calls that do not succeed leave nothing behind`(_ kind: BadCall) async {
            await #expect(processExitsWith: .success) { [kind = kind as BadCall] in
                forgetThrownErrors()
                let pair = try Pair(.tcp, serving: [OddService()])
                await expectNothingLeft(of: 500, pair.running) { await pair.call(kind, $0) }
                await pair.close()
            }
        }

        @Test func `connections leave nothing behind`() async {
            await #expect(processExitsWith: .success) {
                let pair = try Pair(.tcp)
                try await expectNothingLeft(of: 500, pair.running, connections: 0) { try await pair.connect($0) }
                await pair.close()
            }
        }
    }

    /// Runs one round to warm up and ten that count, each of `count` calls.
    ///
    /// What every call leaves behind makes every round grow, by one of malloc's smallest pieces, 32 bytes, for each call
    /// at least; what is kept for later use, once in a while, makes some grow.
    private func expectNothingLeft(
        of count: Int, _ running: RunningServer, connections: Int = 1, _ round: (Int) async throws -> Void
    ) async rethrows {
        try await round(count)
        // On a busy machine a connection may come later than the calls that gave up waiting for it.
        await eventually { running.counts.connections == connections }
        let descriptors = openDescriptors
        var leastGrowth = Int.max
        for _ in 0..<10 {
            let before = Int(apus_malloc_in_use())
            try await round(count)
            await eventually { running.counts.handlers == 0 }
            leastGrowth = min(leastGrowth, Int(apus_malloc_in_use()) - before)
        }
        #expect(leastGrowth < 16 * count, "every round of \(count) left \(leastGrowth) bytes or more")
        // What closes does so a moment later; what leaks never does, and the suite's time limit tells.
        await eventually { openDescriptors <= descriptors }
        #expect(running.counts.connections == connections)
    }

    /// Takes out the runtime's hooks by which Testing keeps a backtrace of each error that is thrown, for ever.
    func forgetThrownErrors() {
        for name in ["_swift_willThrow", "_swift_willThrowTypedImpl"] {
            // The runtime's own variables: a function pointer each, for debuggers and test libraries to set.
            dlsym(dlopen(nil, RTLD_NOW), name)?.storeBytes(of: nil, as: UnsafeRawPointer?.self)
        }
    }

    private var openDescriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
    }

    private enum BadCall: String, Codable, CaseIterable {
        case failed, unknown, late, abandoned, cancelled
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
