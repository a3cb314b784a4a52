// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Testing

@testable import ApusTransport

/// State that one loop touches.
private final class OnLoop<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

@Suite(.timeLimit(.minutes(10))) struct UVLoopTests {
    private let loop: UVLoop

    init() throws { loop = try #require(try EventLoops(count: 1).loops.first) }

    @Test func `what four threads post runs once each, in each thread's order`() async {
        let perThread = 25_000
        let seen = OnLoop([Int](repeating: 0, count: 4))
        let outOfOrder = OnLoop(0)
        let done = Latch(4 * perThread)
        for thread in 0..<4 {
            Thread.detachNewThread { [loop] in
                for index in 0..<perThread {
                    loop.execute {
                        if seen.value[thread] != index { outOfOrder.value += 1 }
                        seen.value[thread] += 1
                        done.countDown()
                    }
                }
            }
        }
        await done.wait()
        #expect(loop.perform { seen.value } == [25_000, 25_000, 25_000, 25_000])
        #expect(loop.perform { outOfOrder.value } == 0)
    }

    @Test func `a post to a loop that is falling asleep is never lost`() async {
        // One at a time, each in its own turn: the loop sleeps between any two.
        for _ in 0..<20_000 {
            await withUnsafeContinuation { continuation in loop.execute { continuation.resume() } }
        }
        #expect(loop.perform { true })
    }

    @Test func `tasks that prefer the loop run on its thread`() async {
        let loop = loop
        let current = await withTaskGroup { group in
            for _ in 0..<1000 {
                group.addTask(executorPreference: loop) {
                    await Task.yield()
                    return loop.isCurrent && UVLoop.current === loop
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(current.count == 1000 && current.allSatisfy { $0 })
        #expect(!loop.isCurrent)
    }

    @Test func `timers fire in the order of their deadlines and never early`() async {
        let fired = OnLoop([Int]())
        let early = OnLoop(0)
        let done = Latch(20)
        loop.perform { [loop] in
            let start = loop.now
            for index in (0..<20).reversed() {
                let deadline = start.advanced(by: .milliseconds(index))
                let timer = LoopTimer {
                    if loop.now < deadline { early.value += 1 }
                    fired.value.append(index)
                    done.countDown()
                }
                loop.schedule(timer, at: deadline)
            }
        }
        await done.wait()
        #expect(loop.perform { fired.value } == Array(0..<20))
        #expect(loop.perform { early.value } == 0)
    }

    @Test func `sockets that call back after a long wait see the time of their turn`() async throws {
        let socket = try #require(try ListeningSocket.open(.address(.host("127.0.0.1", port: 0)), loops: 1).first)
        let seen = OnLoop([MonotonicInstant]())
        let accepted = Latch()
        let listener = try loop.perform { [loop] in
            Result { () throws(RPCError) in
                OnLoop(
                    try Listener(socket, loop: loop) { connection in
                        seen.value.append(loop.now)
                        SystemCalls.close(connection.descriptor)
                        accepted.countDown()
                    } tell: { _ in
                    })
            }
        }.get()
        // The loop sleeps since before this moment.
        let before = SystemClock().now
        _ = try await script { try RawSocket(connectingTo: socket.address) }
        await accepted.wait()
        #expect(loop.perform { seen.value.allSatisfy { $0 >= before } })
        loop.perform { listener.value.close() }
    }

    @Test func `a timer that was cancelled does not fire, and is let go`() async {
        let fired = OnLoop(false)
        let done = Latch()
        weak var released: LoopTimer?
        released =
            loop.perform { [loop] in
                let timer = LoopTimer { fired.value = true }
                loop.schedule(timer, at: loop.now.advanced(by: .milliseconds(1)))
                loop.schedule(LoopTimer { done.countDown() }, at: loop.now.advanced(by: .milliseconds(5)))
                loop.cancel(timer)
                loop.cancel(timer)
                return WeakTimer(timer: timer)
            }.timer
        await done.wait()
        #expect(loop.perform { fired.value } == false)
        #expect(released == nil)
    }

    private struct WeakTimer: @unchecked Sendable {
        weak var timer: LoopTimer?
    }

    @Test func `actions that post actions starve neither timers nor other posts`() async {
        let isOver = OnLoop(false)
        let done = Latch()
        loop.perform { [loop] in
            loop.schedule(LoopTimer { isOver.value = true }, at: loop.now.advanced(by: .milliseconds(5)))
        }
        @Sendable func again() {
            if isOver.value { done.countDown() } else { loop.execute(again) }
        }
        loop.execute(again)
        await done.wait()
        #expect(loop.perform { isOver.value })
    }

    @Test func `tasks that never rest starve no timer`() async {
        let isOver = Latch()
        let stop = Counter()
        loop.perform { [loop] in
            loop.schedule(LoopTimer { isOver.countDown() }, at: loop.now.advanced(by: .milliseconds(5)))
        }
        await withTaskGroup { group in
            group.addTask(executorPreference: loop) {
                while stop.value == 0 { await Task.yield() }
            }
            await isOver.wait()
            stop.add(1)
        }
        #expect(stop.value == 1)
    }
}
